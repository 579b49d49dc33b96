//! How often an append is tried before its caller is told to wait.

use std::time::Duration;

use protocol::wire::Refusal;

/// The tries of one append: again twice at once, then with full jitter growing from 64 to 250 ms, ten in all.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    const MOST: u32 = 10;
    const AT_ONCE: u32 = 2;

    /// Waits as long as the next try should; refuses where there have been enough.
    pub async fn again(&mut self) -> Result<(), Refusal> {
        self.0 += 1;
        if self.0 >= Self::MOST {
            return Err(Refusal::rate_limited(
                "too many are writing in this room at this moment",
                Duration::from_millis(500),
            ));
        }
        if self.0 > Self::AT_ONCE {
            let bound = (64u64 << (self.0 - Self::AT_ONCE - 1).min(2)).min(250);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..=bound))).await;
        }
        Ok(())
    }
}
