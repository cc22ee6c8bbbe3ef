//! File descriptors: as many as the system gives, and how many of them are for viewers.

use rimward_config::Config;
use std::io;

/// The admin API's connections: as many are left for it, whatever viewers do.
pub const ADMIN: usize = 128;
/// What is open whatever happens: listeners, logs, threads, stores, databases.
const BASE: usize = 64;
/// Viewers that are told that there is no place, and connections that were given up and are not gone.
const LEAVING: usize = 128;
/// Files of the cache's disk, and of the state.
const DISK: usize = 64;
/// More than any node needs: some systems have a billion, and count through them.
const MOST: u64 = 1 << 20;

/// Raises the process's limit of descriptors as far as the system lets it, and gives it.
///
/// # Errors
/// When the system does not tell.
pub fn raise() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer leads to a value that lives until the call is over; the call writes it and nothing else.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max.min(MOST).max(limit.rlim_cur), ..limit };
    // SAFETY: the pointer leads to a value that lives until the call is over; the call reads it and nothing else.
    let is_raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0;
    // Where it cannot be raised, what there was still is.
    let limit = if is_raised { raised.rlim_cur } else { limit.rlim_cur };
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// How many connections of viewers `descriptors` allow, where origins may have `origins`.
///
/// 384 (or half, where there are fewer than 768) are for the node itself: admin API, disk, logs, viewers that are turned away. Of
/// the rest, origins get what they may have, at most half; viewers get what is left.
pub fn for_viewers(descriptors: usize, origins: usize) -> usize {
    let own = (BASE + ADMIN + LEAVING + DISK).min(descriptors / 2);
    let rest = descriptors - own;
    (rest - origins.min(rest / 2)).max(1)
}

/// Lowers `node.limits.connections` to what `descriptors` allow, and says so where it does.
pub fn fit(config: &mut Config, descriptors: usize) -> Option<String> {
    let origins = config.origins.values().map(|origin| origin.max_connections).fold(0, usize::saturating_add);
    let most = for_viewers(descriptors, origins);
    let connections = &mut config.node.limits.connections;
    if *connections <= most {
        return None;
    }
    let asked = std::mem::replace(connections, most);
    Some(format!(
        "the process may open {descriptors} files: {most} viewer connections at a time instead of {asked}. \
         Raise the limit (`LimitNOFILE=` of systemd, `--ulimit nofile=` of Docker, `ulimit -Hn`), \
         or lower `connections` of `[node.limits]`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_get_what_the_node_and_its_origins_leave() {
        for (descriptors, origins, viewers) in [
            (1_048_576, 1024, 1_047_168),
            (65_536, 1024, 64_128),
            // Origins have half of what is left at most.
            (1024, 1024, 320),
            (1024, 100, 540),
            (768, 1024, 192),
            // The node's own part shrinks too.
            (256, 1024, 64),
            (1, 0, 1),
            (0, 0, 1),
        ] {
            assert_eq!(for_viewers(descriptors, origins), viewers, "{descriptors} {origins}");
        }
    }

    #[test]
    fn the_limit_is_raised_as_far_as_the_system_lets_it() {
        let raised = raise().unwrap();
        assert!(raised > 0);
        assert_eq!(raise().unwrap(), raised, "there is no more");
    }
}
