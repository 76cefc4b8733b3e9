/** The files of section X as objects, members named as there. */
export interface RatedLine {
  line_id: string;
  event: string;
  account_id: string;
  resource_kind: 'cluster' | 'volume';
  resource_id: string;
  node_id?: string;
  sku: string;
  category: Category;
  reservation_id?: string;
  start: string;
  end: string;
  quantity_ms: string;
  unit: Unit;
  unit_price: string;
  list_unit_price: string;
  amount: string;
  list_amount: string;
  invoice_month: string;
  correction: boolean;
  tags?: unknown;
}

export type Category = 'reserved' | 'burst' | 'on_demand' | 'storage';
export type Unit = 'gpu_hour' | 'gib_month';

export interface LedgerLine {
  entry_id: string;
  account_id: string;
  time: string;
  kind: 'grant' | 'usage' | 'reservation' | 'expiry' | 'refund';
  amount: string;
  ref: string;
  invoice_month?: string;
}

export interface BalanceLine {
  account_id: string;
  balance: string;
  granted: string;
  refunded: string;
  charged: string;
  expired: string;
  burn_rate: string;
  level: 'active' | 'low' | 'exhausted';
}

export interface RejectedLine {
  line: number;
  reason: string;
  detail: string;
  event: unknown;
}

export interface InvoiceLine {
  section: 'reservation' | 'reserved' | 'burst' | 'on_demand' | 'storage' | 'correction';
  resource_kind: 'cluster' | 'volume';
  resource_id: string;
  sku: string;
  category: Category | 'reservation';
  reservation_id?: string;
  correction: boolean;
  quantity_ms: string;
  unit: Unit;
  unit_price: string;
  list_unit_price: string;
  amount: string;
  list_amount: string;
}

export interface Invoice {
  account_id: string;
  month: string;
  status: 'open' | 'final';
  opening_balance: string;
  granted: string;
  refunded: string;
  expired: string;
  charges: string;
  closing_balance: string;
  lines: InvoiceLine[];
}

export interface Summary {
  events: number;
  applied: number;
  duplicates: number;
  rejected: number;
  clock: string | null;
}

export interface ModelOutput {
  rated: RatedLine[];
  ledger: LedgerLine[];
  balances: BalanceLine[];
  rejected: RejectedLine[];
  invoices: Invoice[];
  summary: Summary;
}
