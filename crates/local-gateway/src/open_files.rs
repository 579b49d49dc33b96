//! The limit of open files, and thereby sockets, of this process: ten thousand clients exceed the default of most
//! systems.

/// Raises the limit as far as allowed. If that fails, it stays as it is.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// The limit on macOS, which reports no maximum.
    const MACOS_LIMIT: u64 = 10_240;
    let limit = getrlimit(Resource::Nofile);
    // `None` means unlimited.
    let is_higher = |number: Option<u64>| limit.current.is_some_and(|now| number.is_none_or(|more| more > now));
    for current in [limit.maximum, Some(MACOS_LIMIT)] {
        if is_higher(current) && setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum }).is_ok() {
            return;
        }
    }
}

/// Only Unix limits open files.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn limit_is_raised_to_the_maximum() {
        super::raise_limit();
        let limit = getrlimit(Resource::Nofile);
        assert!(limit.current == limit.maximum || limit.current.is_some_and(|current| current >= 10_240), "{limit:?}");
    }
}
