//! The store from outside: what goes in comes back, what must not happen is refused, and nothing is lost on the way.

#[cfg(test)]
mod store {
    mod backup;
    mod opening;
    mod round_trip;
    mod trouble;
    mod world;
}
