//! Validates `createRoom` and determines the room to create.

use protocol::chat::{Role, RoomKind, RoomName};
use protocol::ids::{Participant, RoomId};
use protocol::wire::Refusal;
use protocol::wire::requests::CreateRoom;
use shared::runtime::Caller;
use uuid::Uuid;

/// A validated room, ready to be created.
pub struct Plan {
    pub room_id: RoomId,
    pub kind: RoomKind,
    pub name: Option<RoomName>,
    /// The members and their roles.
    pub members: Vec<(Participant, Role)>,
}

/// A group is created in one transaction, which DynamoDB limits to 100 rows including the room and its first entry.
const MAX_MEMBERS: usize = 90;

pub fn plan(request: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    match request.kind {
        RoomKind::Consult => consult(request, caller),
        RoomKind::Direct => direct(request, caller),
        RoomKind::Group => group(request, caller),
        RoomKind::Open => Err(Refusal::bad_request("`kind`: open rooms cannot be created; call joinGroup instead")),
    }
}

fn consult(request: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let (user, hospital) = match caller.participant() {
        Participant::User(user) => {
            let hospital =
                request.hospital_id.take().ok_or_else(|| Refusal::bad_request("missing field `hospital_id`"))?;
            (user.clone(), hospital)
        }
        Participant::Hospital(hospital) => {
            let user = request.user_id.take().ok_or_else(|| Refusal::bad_request("missing field `user_id`"))?;
            (user, hospital.clone())
        }
    };
    let members =
        vec![(Participant::User(user.clone()), Role::Patient), (Participant::Hospital(hospital.clone()), Role::Staff)];
    Ok(Plan { room_id: RoomId::Consult(user, hospital), kind: RoomKind::Consult, name: None, members })
}

fn direct(request: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let Participant::User(own) = caller.participant() else {
        return Err(Refusal::forbidden("hospitals have no direct rooms; create a consult instead"));
    };
    let other = request.user_id.take().ok_or_else(|| Refusal::bad_request("missing field `user_id`"))?;
    let members = [own.clone(), other.clone()].map(|user| (Participant::User(user), Role::Member)).into();
    let room_id =
        RoomId::direct(own.clone(), other).ok_or_else(|| Refusal::bad_request("`user_id`: must be another user"))?;
    Ok(Plan { room_id, kind: RoomKind::Direct, name: None, members })
}

fn group(request: &mut CreateRoom, caller: &Caller) -> Result<Plan, Refusal> {
    let name = request.name.take().ok_or_else(|| Refusal::bad_request("missing field `name`"))?;
    let room_id = match request.room_id.take() {
        None => RoomId::Group(Uuid::now_v7()),
        // A client that chooses the id can retry the creation safely.
        Some(room_id @ RoomId::Group(_)) => room_id,
        Some(_) => return Err(Refusal::bad_request("`room_id`: must be `room:<uuid>`")),
    };
    let mut others = request.members.take().unwrap_or_default();
    others.remove(caller.participant());
    if others.len() >= MAX_MEMBERS {
        return Err(Refusal::bad_request("`members`: too many; a new group has at most 90 members including you"));
    }
    let owner = std::iter::once((caller.participant().clone(), Role::Owner));
    let members = owner.chain(others.into_iter().map(|member| (member, Role::Member))).collect();
    Ok(Plan { room_id, kind: RoomKind::Group, name: Some(name), members })
}
