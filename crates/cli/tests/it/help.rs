//! Help, version, usage.

use crate::support::Folder;

#[test]
fn help_names_every_command_the_exit_codes_and_a_first_round() {
    let ran = Folder::new().run(&["--help"]).expect(0);
    for part in [
        "serve",
        "invoke",
        "test",
        "check",
        "purge",
        "explain",
        "kv",
        "functions",
        "Exit codes:",
        "wrong usage",
        "rimward test",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_help_of_each_command_has_examples_and_exit_codes() {
    let folder = Folder::new();
    for command in ["serve", "invoke", "test", "check", "purge", "explain", "kv", "functions"] {
        let ran = folder.run(&[command, "--help"]).expect(0);
        for part in ["Examples:", &format!("rimward {command}"), "Exit codes:"] {
            assert!(ran.stdout.contains(part), "{command} {part}: {}", ran.stdout);
        }
        assert!(!ran.stdout.contains('\x1b'), "colours are for terminals alone");
    }
}

#[test]
fn the_version_is_the_package_s() {
    let ran = Folder::new().run(&["--version"]).expect(0);
    assert_eq!(ran.stdout, concat!("rimward ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_known() {
    let folder = Folder::new();
    folder.run(&[]).expect(2).says("Usage: rimward");
    folder.run(&["sevre"]).expect(2).says("serve");
    folder.run(&["test", "--jsn"]).expect(2).says("--json");
    folder.run(&["serve", "--listen", "localhost"]).expect(2).says("expected ADDRESS:PORT");
    folder.run(&["invoke", "--event", "e.json"]).expect(2).says("--code");
    folder.run(&["invoke", "--event", "e.json", "--code", "a.js", "--component", "a.wasm"]).expect(2);
}
