//! The checker's fault plans.

use local_gateway::faults::{Chance, Connections, Plan, Pushes};

/// Every kind of fault, each as often as a stack can take for a long time and still make progress.
#[must_use]
pub fn everything(seed: u64) -> Plan {
    let mut plan = Plan::every_kind(seed, 0.01);
    plan.dynamodb.slow = Chance::of(0.02).for_ms(5..=120);
    // Rare, because each costs its caller the timeout of an attempt.
    plan.dynamodb.never_answered = Chance::of(0.0005);
    plan.dynamodb.conflict = Chance::of(0.05);
    plan.dynamodb.write_conflict = Chance::of(0.02);
    // Fan-out begins to work when the newest text is 100 ms old; earlier faults would only hit a waiting function.
    plan.lambda.killed = Chance::of(0.003).for_ms(0..=250);
    plan.lambda.timeout = Chance::of(0.002).for_ms(200..=600);
    plan.lambda.cold = Chance::of(0.003);
    plan.lambda.crowd = Chance::of(0.003);
    plan.streams.doubled = Chance::of(0.05).for_ms(0..=500);
    plan.streams.split = Chance::of(0.05).for_ms(0..=500);
    plan.streams.late = Chance::of(0.02).for_ms(50..=400);
    plan.streams.parallel = Chance::of(0.1);
    plan.pushes.slow = Chance::of(0.01).for_ms(5..=200);
    plan.pushes.gone = Chance::of(0.001);
    plan.pushes.hung = Chance::of(0.02);
    plan.connections.cut = Chance::of(0.002);
    plan.connections.disconnect_never = Chance::of(0.1);
    plan.connections.disconnect_late = Chance::of(0.2).for_ms(100..=2_000);
    plan.connections.disconnect_twice = Chance::of(0.1);
    plan
}

/// Every kind of fault that does not lose a frame on its way to an open connection. With this plan, a missing push is a
/// defect of the application.
#[must_use]
pub fn everything_but_lost_frames(seed: u64) -> Plan {
    Plan { pushes: Pushes::default(), connections: Connections::default(), ..everything(seed) }
}

/// Whether every frame to an open connection arrives under this plan.
#[must_use]
pub fn delivers_every_frame(plan: &Plan) -> bool {
    plan.pushes == Pushes::default() && plan.connections == Connections::default()
}

/// Lets fan-out's DynamoDB calls fail often, so that it reports failures even after its retries.
pub fn fail_fan_out(plan: &mut Plan, chance: f64) {
    plan.dynamodb.functions.insert("FanOutFunction".to_owned());
    plan.dynamodb.failed_before = Chance::of(chance);
}
