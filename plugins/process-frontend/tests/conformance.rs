//! The frontend keeps to what is demanded of any, with the example behind it.

mod support;

use patchbay_process_frontend::ProcessFrontend;
use patchbay_testkit::conformance;

#[tokio::test]
async fn the_example_conforms() {
    let (config, protocol) = support::example().await;
    let suite = conformance::frontend::<ProcessFrontend, _>(config, protocol);
    suite.run().await.assert_all_but(&["A15", "A16"]);
}
