import { CREDIT_FAULTS } from './credit-faults.ts';
import { EVENT_FAULTS } from './event-faults.ts';
import { NOTICE_FAULTS } from './notice-faults.ts';
import { ORDER_FAULTS } from './order-faults.ts';
import { RATING_FAULTS } from './rating-faults.ts';
import { RESTORATION_FAULTS } from './restoration-faults.ts';

/** Faults that somebody might make in rating and credits, each in one place. They stay: a checker counts once it found one. */
export const RATER_FAULTS = [...RATING_FAULTS, ...EVENT_FAULTS, ...CREDIT_FAULTS];

/** Likewise in enforcement. */
export const ENFORCER_FAULTS = [...NOTICE_FAULTS, ...RESTORATION_FAULTS, ...ORDER_FAULTS];
