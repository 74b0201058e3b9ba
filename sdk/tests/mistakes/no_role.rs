//! Not said whether it is a backend or a frontend.

struct Server;

patchbay_sdk::export!(Server);

fn main() {}
