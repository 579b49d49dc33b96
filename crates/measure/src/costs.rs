//! The cost of each action, in counts and dollars, and what each guarantee adds to a message.

use local_gateway::faults::{Latencies, Latency};
use serde_json::{Map, Value};

use crate::actions::perform_actions;
use crate::bill::{Bill, CapacityUnits};
use crate::prices::Prices;
use crate::stack::{MeasureError, Setup};
use crate::table::Table;

/// Picks calls by their function and kind.
type Picks<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A latency far above anything that a laptop adds, so that round trips can be counted by time.
const ROUND_TRIP_MS: u16 = 100;

const MILLION: f64 = 1_000_000.0;

#[derive(Debug)]
pub struct Costs {
    /// Measured at AWS's latencies, with the express lane.
    pub bills: Vec<Bill>,
    /// How many round trips to DynamoDB each of these actions waits for before it replies, in the same order.
    pub round_trips: Vec<u128>,
    /// Measured without the express lane.
    pub without_express_lane: Vec<Bill>,
}

impl Costs {
    /// Performs every action on three stacks: at AWS's latencies with and without the express lane, and at a latency of
    /// DynamoDB that makes round trips countable.
    ///
    /// # Errors
    ///
    /// See [`MeasureError`].
    pub async fn measure(setup: &Setup, latencies: &Latencies) -> Result<Self, MeasureError> {
        let round_trip = Latency {
            p50_ms: ROUND_TRIP_MS.into(),
            p99_ms: ROUND_TRIP_MS.into(),
            source: "chosen for counting round trips".to_owned(),
        };
        let countable = Latencies { dynamodb: [("default".to_owned(), round_trip)].into(), ..Latencies::default() };
        let countable_bills = bills(&setup.clone().at(Some(countable))).await?;
        let at_aws = setup.clone().at(Some(latencies.clone()));
        Ok(Self {
            bills: bills(&at_aws).await?,
            round_trips: countable_bills
                .iter()
                .map(|bill| bill.elapsed.as_millis() / u128::from(ROUND_TRIP_MS))
                .collect(),
            without_express_lane: bills(&at_aws.with("ExpressLimit", "0")).await?,
        })
    }

    #[must_use]
    pub fn table(&self, prices: &Prices) -> Table {
        let about = format!(
            "Everything that follows from one action, by the gateway's ledger (`ReturnConsumedCapacity`). Dollars per \
             million actions, {}, {}, without connection minutes, logs and DeepL. Round trips are the sequential ones \
             to DynamoDB before the reply. Function time is what the functions take on this machine at the latencies \
             of `latencies.json`, multiplied by their memory.",
            prices.region, prices.as_of
        );
        let columns = [
            "action",
            "round trips",
            "invocations",
            "AWS calls",
            "read units",
            "write units",
            "pushes",
            "messages",
            "bytes in",
            "bytes out",
            "function ms·GB",
            "$ per million",
        ];
        let mut table = Table::new("Cost per action", &about, &columns);
        let mut add_row = |title: String, bill: &Bill, round_trips: String| {
            table.add_row([
                title,
                round_trips,
                bill.invocations().to_string(),
                bill.calls().to_string(),
                bill.read_units().to_string(),
                bill.write_units().to_string(),
                bill.pushes().to_string(),
                bill.metered.to_string(),
                bill.bytes_in.to_string(),
                bill.bytes_out.to_string(),
                format!("{:.1}", bill.gigabyte_seconds * 1000.0),
                format!("{:.2}", bill.dollars_per_million(prices)),
            ]);
        };
        for (bill, round_trips) in self.bills.iter().zip(&self.round_trips) {
            add_row(bill.action.clone(), bill, round_trips.to_string());
        }
        for bill in &self.without_express_lane {
            if bill.action.starts_with("sendMessage,") && bill.metered > 1 {
                add_row(format!("{}, without the express lane", bill.action), bill, String::new());
            }
        }
        table
    }

    /// Splits the cost of a message between two people by what it pays for.
    #[must_use]
    pub fn guarantees(&self, prices: &Prices) -> Table {
        let about = "What each guarantee adds to a message between two people, in dollars per million messages, \
                     without translation.";
        let columns = ["for", "read units", "write units", "$ per million"];
        let mut table = Table::new("Cost of each guarantee", about, &columns);
        let Some(bill) = self.bills.iter().find(|bill| bill.action == "sendMessage, 1 recipient") else { return table };
        let mut add_row = |label: &str, units: CapacityUnits, dollars: f64| {
            table.add_row([label.to_owned(), units.read.to_string(), units.write.to_string(), format!("{dollars:.2}")]);
        };
        let price_of = |units: CapacityUnits| {
            prices.dynamodb_read_unit.of(units.read * MILLION) + prices.dynamodb_write_unit.of(units.write * MILLION)
        };
        let per_million = |count: u64| count as f64 * MILLION;
        let no_units = CapacityUnits::default();
        let api_gateway = prices.websocket_message.of(per_million(bill.metered));
        add_row("API Gateway: the message, its reply and its push", no_units, api_gateway);
        let lambda = prices.lambda_request.of(per_million(bill.invocations()))
            + prices.lambda_gigabyte_second.of(bill.gigabyte_seconds * MILLION);
        add_row("Lambda: invocations and their duration", no_units, lambda);
        let is_send = |function: &str| function == "SendMessageFunction";
        let is_fan_out = |function: &str| function == "FanOutFunction";
        let transaction =
            bill.units_of(|function, kind| is_send(function) && kind.contains("TransactWriteItems")).write;
        // A plain write would cost a quarter: the transaction writes two rows at twice the price.
        let message = CapacityUnits { read: 0.0, write: transaction / 4.0 };
        add_row("the message itself", message, price_of(message));
        let exactly_once = CapacityUnits { read: 0.0, write: transaction - message.write };
        add_row(
            "exactly once, numbered without gaps: a transaction with the idempotency record",
            exactly_once,
            price_of(exactly_once),
        );
        let parts: [(&str, Picks); 6] = [
            ("members only: the membership and the room", &|function, kind| {
                is_send(function) && kind.contains("GetItem")
            }),
            ("numbering, flood control, closed rooms: the log's tail", &|function, kind| {
                is_send(function) && kind.ends_with("Query MessagesTable")
            }),
            ("nobody is missed: the stream's strongly consistent audience", &|function, kind| {
                is_fan_out(function) && kind.contains("Query")
            }),
            ("a correct room list: the room's head", &|function, kind| {
                is_fan_out(function) && kind.contains("RoomsTable")
            }),
            ("own messages count as read: the sender's read mark", &|function, kind| {
                is_fan_out(function) && kind.ends_with("UpdateItem MembersTable")
            }),
            ("immediate delivery instead of after 0.2 s: the express lane", &|function, kind| {
                (is_send(function)
                    && (kind.ends_with("Query ConnectionsTable") || kind.ends_with("UpdateItem SendsTable")))
                    || (is_fan_out(function) && kind.contains("SendsTable"))
            }),
        ];
        for (label, picks) in parts {
            let units = bill.units_of(picks);
            add_row(label, units, price_of(units));
        }
        let total = CapacityUnits { read: bill.read_units(), write: bill.write_units() };
        add_row("total", total, bill.dollars_per_million(prices));
        table
    }
}

/// The calls and capacity units of each action, by its name. They are the same on every machine.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn counts(setup: &Setup) -> Result<Value, MeasureError> {
    let bills = bills(setup).await?;
    Ok(bills.iter().map(|bill| (bill.action.clone(), bill.counts())).collect::<Map<_, _>>().into())
}

/// The bills of a second pass: the first one starts the processes.
async fn bills(setup: &Setup) -> Result<Vec<Bill>, MeasureError> {
    let stack = setup.start().await?;
    perform_actions(&stack, 1).await?;
    let bills = perform_actions(&stack, 2).await;
    stack.gateway.shut_down().await;
    bills
}
