//! x
use super::{Fail,args::Chat};
pub fn run(_c:&Chat)->Result<(),Fail>{Ok(())}
