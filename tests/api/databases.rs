//! On which databases this run proves anything.

use std::io::Write;

use crate::support;

#[test]
fn the_run_says_on_which_databases_it_ran() {
    if support::postgres_url().is_none() {
        assert!(std::env::var_os("CI").is_none(), "a run of CI must set TEST_POSTGRES_URL");
        // Not captured by the test runner, unlike what a macro prints.
        let warning =
            b"\n*** NOT RUN ON POSTGRESQL: set TEST_POSTGRES_URL=postgres://... to run every test there too ***\n\n";
        assert!(std::io::stderr().write_all(warning).is_ok());
    }
}
