//! What each action costs: a table of counts and dollars, and a table of what each guarantee adds to a message.

use local_gateway::faults::{Latencies, Latency};
use serde_json::{Map, Value};

use crate::bill::Bill;
use crate::prices::Prices;
use crate::stack::{MeasureError, Setup};
use crate::table::Table;
use crate::tour::tour;

/// Picks calls by their function and their kind.
type Picks<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A latency that is far above anything that a laptop adds, so that round trips can be counted by time.
const STEP_MS: u16 = 100;

/// The bills of all actions, and how many round trips to DynamoDB each waits for before it replies.
#[derive(Debug)]
pub struct Costs {
    /// At AWS's latencies, with the express lane.
    pub bills: Vec<Bill>,
    /// Of the same actions, in the same order.
    pub round_trips: Vec<u128>,
    /// Without the express lane.
    pub stream_alone: Vec<Bill>,
}

impl Costs {
    /// Takes every action through three stacks: at AWS's latencies with the express lane and without, and at a latency of
    /// DynamoDB's that makes round trips countable.
    ///
    /// # Errors
    ///
    /// See [`MeasureError`].
    pub async fn measure(setup: &Setup, latencies: &Latencies) -> Result<Self, MeasureError> {
        let step = Latency { p50_ms: STEP_MS.into(), p99_ms: STEP_MS.into(), source: "for counting".to_owned() };
        let steps = Latencies { dynamodb: [("default".to_owned(), step)].into(), ..Latencies::default() };
        let stepped = bills(&setup.clone().at(Some(steps))).await?;
        let at_aws = setup.clone().at(Some(latencies.clone()));
        Ok(Self {
            bills: bills(&at_aws).await?,
            round_trips: stepped.iter().map(|bill| bill.elapsed.as_millis() / u128::from(STEP_MS)).collect(),
            stream_alone: bills(&at_aws.with("ExpressLimit", "0")).await?,
        })
    }

    /// One line an action.
    #[must_use]
    pub fn table(&self, prices: &Prices) -> Table {
        let about = format!(
            "Everything that follows from one action, by the gateway's ledger (`ReturnConsumedCapacity`); dollars per million, {}, {}, \
             without connection minutes, logs and DeepL. Round trips are the sequential ones to DynamoDB before the reply. Function time is \
             what the functions take on this machine at the latencies of `latencies.json`, at their memory.",
            prices.region, prices.asked
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
        let mut table = Table::new("What an action costs", &about, &columns);
        let row = |table: &mut Table, title: String, bill: &Bill, trips: String| {
            table.row([
                title,
                trips,
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
        for (bill, trips) in self.bills.iter().zip(&self.round_trips) {
            row(&mut table, bill.action.clone(), bill, trips.to_string());
        }
        for bill in self.stream_alone.iter().filter(|bill| bill.action.starts_with("sendMessage,") && bill.metered > 1)
        {
            row(&mut table, format!("{}, without the express lane", bill.action), bill, String::new());
        }
        table
    }

    /// What of a message between two people is paid for what.
    #[must_use]
    pub fn guarantees(&self, prices: &Prices) -> Table {
        let mut table = Table::new(
            "What each guarantee adds to a message between two people",
            "Dollars per million messages, without translation.",
            &["for", "read units", "write units", "$ per million"],
        );
        let Some(bill) = self.bills.iter().find(|bill| bill.action == "sendMessage, 1 recipient") else { return table };
        let mut line = |what: &str, (read, write): (f64, f64), dollars: f64| {
            table.row([what.to_owned(), read.to_string(), write.to_string(), format!("{dollars:.2}")]);
        };
        let units = |picks: &dyn Fn(&str, &str) -> bool| bill.units_of(|function, kind| picks(function, kind));
        let million = 1_000_000.0;
        let paid = |(read, write): (f64, f64)| {
            prices.dynamodb_read_unit.of(read * million) + prices.dynamodb_write_unit.of(write * million)
        };
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let fixed = |amount: u64| amount as f64 * million;
        line(
            "API Gateway: the message, its reply, its push",
            (0.0, 0.0),
            prices.websocket_message.of(fixed(bill.metered)),
        );
        line("Lambda: the invocations and their time", (0.0, 0.0), {
            prices.lambda_request.of(fixed(bill.invocations()))
                + prices.lambda_gigabyte_second.of(bill.gigabyte_seconds * million)
        });
        let send = |function: &str| function == "SendMessageFunction";
        let fan_out = |function: &str| function == "FanOutFunction";
        let (_, stored) = units(&|function, kind| send(function) && kind.contains("TransactWriteItems"));
        let kept = (0.0, stored / 4.0);
        line("the message itself", kept, paid(kept));
        let once = (0.0, stored - stored / 4.0);
        line("once, and under a number without a hole: a transaction with the sends row", once, paid(once));
        let parts: [(&str, Picks); 6] = [
            ("only who may: the seat and the room", &|function, kind| send(function) && kind.contains("GetItem")),
            ("the number, the pace, a closing: the log's tail", &|function, kind| {
                send(function) && kind.ends_with("Query MessagesTable")
            }),
            ("nobody is missed: the stream's strongly consistent audience", &|function, kind| {
                fan_out(function) && kind.contains("Query")
            }),
            ("the room list is right: the head", &|function, kind| fan_out(function) && kind.contains("RoomsTable")),
            ("one's own words are read: the sender's mark", &|function, kind| {
                fan_out(function) && kind.ends_with("UpdateItem MembersTable")
            }),
            ("at once instead of after 0.2 s: the express lane", &|function, kind| {
                (send(function)
                    && (kind.ends_with("Query ConnectionsTable") || kind.ends_with("UpdateItem SendsTable")))
                    || (fan_out(function) && kind.contains("SendsTable"))
            }),
        ];
        for (what, picks) in &parts {
            line(what, units(picks), paid(units(picks)));
        }
        line("together", (bill.read_units(), bill.write_units()), bill.dollars_per_million(prices));
        table
    }
}

/// What each action costs in calls and units, by its name: the same on every machine.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn counts(setup: &Setup) -> Result<Value, MeasureError> {
    Ok(bills(setup).await?.iter().map(|bill| (bill.action.clone(), bill.counts())).collect::<Map<_, _>>().into())
}

/// The bills of a second tour: the first one starts what there is to start.
async fn bills(setup: &Setup) -> Result<Vec<Bill>, MeasureError> {
    let stack = setup.start().await?;
    tour(&stack, 1).await?;
    let bills = tour(&stack, 2).await;
    stack.gateway.shut_down().await;
    bills
}
