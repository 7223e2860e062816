//! How fast, how often, how long: the figures of a download.

use std::time::Duration;

/// Figures that tests make small.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Connections for one file.
    pub parts: usize,
    /// Files up to this many bytes come over one connection.
    pub small: u64,
    /// Bytes asked for at once.
    pub piece: u64,
    /// A connection is made within this time.
    pub connect: Duration,
    /// A connection that brings no byte for so long is given up.
    pub stall: Duration,
    /// Attempts without a byte before a download fails.
    pub attempts: u32,
    /// The wait after a first failure; it doubles with each.
    pub wait: Duration,
    /// The longest wait, also where a server asks for more.
    pub longest_wait: Duration,
    /// What came is made safe on the disk after this time …
    pub save_after: Duration,
    /// … or after this many bytes, but not more often than four times in that
    /// time.
    pub save_bytes: u64,
    /// Time between two events.
    pub event: Duration,
    /// Bytes that stay free on the disk.
    pub margin: u64,
    /// How long a lock that another holds is waited for. A download that was
    /// dropped keeps it until the last bytes are on the disk.
    pub lock: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            parts: 4,
            small: 32 << 20,
            piece: 64 << 20,
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            attempts: 5,
            wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
            save_after: Duration::from_secs(1),
            save_bytes: 16 << 20,
            event: Duration::from_millis(100),
            margin: 256 << 20,
            lock: Duration::from_secs(3),
        }
    }
}

impl Pace {
    /// The wait before attempt number `failed + 1`. What a server asks for
    /// comes first, but has a limit.
    pub(super) fn wait(&self, failed: u32, asked: Option<Duration>) -> Duration {
        let doubled = self
            .wait
            .saturating_mul(1 << failed.saturating_sub(1).min(6));
        asked.unwrap_or(doubled).min(self.longest_wait)
    }
}
