import { afterAll, beforeAll } from 'vitest';
import { describeContract } from '../../contracts/contract.ts';
import { LOG_CONTRACT } from '../../contracts/log-contract.ts';
import { describeOnStack, type KafkaComponent, startKafka } from '../../integration/support/components.ts';
import { kafkaHarness } from './kafka-harness.ts';

describeOnStack('the log port on a broker', () => {
  let kafka: KafkaComponent;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka.stop());

  // A broker's clock is its own, and a topic's kind of time is fixed when it is made.
  const cases = LOG_CONTRACT.filter(({ needs }) => needs === undefined);
  describeContract('the log on Kafka', cases, () => kafkaHarness(kafka.bootstrap));
});
