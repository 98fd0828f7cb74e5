//! File descriptors: as many as the system allows, and for how many connections they are enough.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Descriptors of a connection: one to serve it, one to watch it.
const EACH: usize = 2;
/// Descriptors for all else: the database, files, sockets, and connections on which only health is answered.
const REST: usize = 384;
/// Fewer connections than these are worth a warning.
const FEW: usize = 1000;

/// Raises the process's limit of descriptors as far as the system allows, and gives how many connections may be served:
/// `wanted`, or as many as there are descriptors for.
#[must_use]
pub fn connections(wanted: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted;
    };
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(e) => {
            log::warn!("the limit of descriptors stays at {soft}: {e}");
            soft
        }
    };
    let served = enough_for(usize::try_from(limit).unwrap_or(usize::MAX)).min(wanted);
    if served < wanted.min(FEW) {
        log::warn!("{limit} descriptors are enough for {served} connections, not for {wanted}");
    }
    served
}

fn enough_for(descriptors: usize) -> usize {
    (descriptors.saturating_sub(REST) / EACH).max(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_left_for_all_else() {
        for (descriptors, connections) in [(0, 16), (1024, 320), (65_536, 32_576)] {
            assert_eq!(enough_for(descriptors), connections);
        }
    }
}
