//! The type that is exported implements nothing.

struct Server;

patchbay_sdk::export!(backend = Server);

fn main() {}
