//! How many files, and with them sockets, this process may have open: ten thousand clients are more than most systems
//! allow a process that does not ask.

/// Asks for as many as it may have. Where that is refused, it goes on with what it has.
#[cfg(unix)]
pub(crate) fn allow_many() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// What macOS allows a process, whose own limit says "any number".
    const FEWER: u64 = 10_240;
    let limit = getrlimit(Resource::Nofile);
    // No number at all is as many as one likes.
    let may_have_more = |number: Option<u64>| limit.current.is_some_and(|now| number.is_none_or(|more| more > now));
    for current in [limit.maximum, Some(FEWER)] {
        if may_have_more(current) && setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum }).is_ok() {
            return;
        }
    }
}

/// Asks for as many as it may have, which only Unix limits.
#[cfg(not(unix))]
pub(crate) fn allow_many() {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn as_many_files_may_be_open_as_the_system_lets_a_process_have() {
        super::allow_many();
        let limit = getrlimit(Resource::Nofile);
        assert!(limit.current == limit.maximum || limit.current.is_some_and(|current| current >= 10_240), "{limit:?}");
    }
}
