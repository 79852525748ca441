//! Engines over real servers: what they promise to whoever reads and writes through them.

mod engines;
mod servers;

#[cfg(feature = "feed-nats")]
mod nats;
#[cfg(feature = "feed-redis")]
mod redis;
