//! Which room `createRoom` asks for.

use protocol::chat::{Role, RoomKind, RoomName};
use protocol::ids::{Participant, RoomId};
use protocol::wire::Refusal;
use protocol::wire::requests::CreateRoom;
use shared::runtime::Caller;
use uuid::Uuid;

/// A room that can be created as it is.
pub struct Plan {
    pub room_id: RoomId,
    pub kind: RoomKind,
    pub name: Option<RoomName>,
    /// Who gets a seat.
    pub members: Vec<(Participant, Role)>,
}

/// A group is created in one transaction, of which DynamoDB takes at most 100 rows; the room and its first entry are two.
const MAX_MEMBERS: usize = 90;

/// The room that the caller asks for.
pub fn plan(asked: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    match asked.kind {
        RoomKind::Consult => consult(asked, caller),
        RoomKind::Direct => direct(asked, caller),
        RoomKind::Group => group(asked, caller),
        RoomKind::Open => Err(Refusal::bad_request("`kind`: an open room is created by joining it; joinGroup does")),
    }
}

fn consult(asked: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let (user, hospital) = match caller.participant() {
        Participant::User(user) => {
            let hospital =
                asked.hospital_id.take().ok_or_else(|| Refusal::bad_request("missing field `hospital_id`"))?;
            (user.clone(), hospital)
        }
        Participant::Hospital(hospital) => {
            let user = asked.user_id.take().ok_or_else(|| Refusal::bad_request("missing field `user_id`"))?;
            (user, hospital.clone())
        }
    };
    let members =
        vec![(Participant::User(user.clone()), Role::Patient), (Participant::Hospital(hospital.clone()), Role::Staff)];
    Ok(Plan { room_id: RoomId::Consult(user, hospital), kind: RoomKind::Consult, name: None, members })
}

fn direct(asked: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let Participant::User(own) = caller.participant() else {
        return Err(Refusal::forbidden("a direct room is between two users; a hospital opens a consult"));
    };
    let other = asked.user_id.take().ok_or_else(|| Refusal::bad_request("missing field `user_id`"))?;
    let members = [own.clone(), other.clone()].map(|user| (Participant::User(user), Role::Member)).into();
    let room_id = RoomId::direct(own.clone(), other)
        .ok_or_else(|| Refusal::bad_request("`user_id`: must be somebody else than yourself"))?;
    Ok(Plan { room_id, kind: RoomKind::Direct, name: None, members })
}

fn group(asked: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let name = asked.name.take().ok_or_else(|| Refusal::bad_request("missing field `name`"))?;
    let room_id = match asked.room_id.take() {
        None => RoomId::Group(Uuid::now_v7()),
        // An id of the client's own makes creating a group repeatable, too.
        Some(room_id @ RoomId::Group(_)) => room_id,
        Some(_) => return Err(Refusal::bad_request("`room_id`: must be `room:<uuid>`")),
    };
    let mut others = asked.members.take().unwrap_or_default();
    others.remove(caller.participant());
    if others.len() >= MAX_MEMBERS {
        return Err(Refusal::bad_request("`members`: a group is created with at most 90 members, yourself included"));
    }
    let owner = std::iter::once((caller.participant().clone(), Role::Owner));
    let members = owner.chain(others.into_iter().map(|member| (member, Role::Member))).collect();
    Ok(Plan { room_id, kind: RoomKind::Group, name: Some(name), members })
}
