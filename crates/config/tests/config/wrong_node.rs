//! Wrong text and wrong settings of the node and the cache, with what is said about each.

use super::{problems, wrong, wrong_alone};

#[test]
fn everything_wrong_is_said_at_once_and_in_the_order_of_the_file() {
    let text = "
        [node]
        lisen = [\"127.0.0.1:80\"]
        workers = \"two\"
        [cache]
        memory = \"lots\"
        [origins.app]
        url = \"localhost:9000\"
        [[distributions]]
        domains = [\"www.example.com\"]
        [[distributions.behaviors]]
        origin = \"ap\"
        viewer-request = \"nothing\"
    ";
    assert_eq!(
        problems(text),
        [
            "3:9 unknown key `lisen` in [node]",
            "hint: did you mean `listen`?",
            "4:19 `workers` must be a whole number, not a string",
            "6:18 `lots` is not a size",
            "hint: write a whole number and a unit, such as \"256 MB\" (B, KB, MB, GB)",
            "8:15 wrong URL of an origin: it begins with http:// or https://, or is \"builtin:demo\"",
            "12:18 there is no origin `ap`",
            "hint: did you mean `app`?",
            "13:26 there is no function `nothing`",
            "hint: define it with `[functions.nothing]`",
        ]
    );
}

#[test]
fn syntax_errors_are_said_one_for_each_line() {
    let said = problems("[node]\nadmin = 127.0.0.1:80\nworkers = \nlisten = [\"127.0.0.1:80\"");
    assert_eq!(
        said,
        [
            "2:14 invalid float",
            "hint: a text stands in quotes: key = \"text\"",
            "3:11 string values must be quoted",
            "hint: a text stands in quotes: key = \"text\"",
            "4:25 unclosed array, expected `]`",
        ]
    );
}

wrong! {
    a_key_twice_is_wrong: "[node]\nworkers = 1\nworkers = 2" => ["3:1 duplicate key"]
    an_unknown_table_is_wrong: "[orgins.app]\nurl = \"builtin:demo\"" => [
        "1:2 unknown key `orgins` in the file", "hint: did you mean `origins`?",
    ]
    an_unknown_key_like_no_other_lists_those_there_are: "[cache]\nzzz = 1" => [
        "2:1 unknown key `zzz` in [cache]", "hint: keys here: memory, max-object, disk, tag-headers",
    ]
    a_key_in_another_spelling_is_recognised: "[node]\naccess_log = \"off\"" => [
        "2:1 unknown key `access_log` in [node]", "hint: it is called `access-log` here",
    ]
    a_table_that_is_no_table: "node = 1" => ["1:8 `[node]` must be a table, not an integer"]
    names_that_are_no_table: "origin-groups = []" => [
        "1:17 `[origin-groups]` must be a table of names, not a list",
    ]
    listen_is_a_list: "[node]\nlisten = \"127.0.0.1:80\"" => ["2:10 `listen` must be a list of strings, not a string"]
    listen_is_a_list_of_strings: "[node]\nlisten = [8080]" => ["2:11 `listen` has strings, not an integer"]
    listen_has_addresses: "[node]\nlisten = [\"localhost\"]" => [
        "2:11 `localhost` is not an address",
        "hint: `listen` has IP address and port, such as \"127.0.0.1:8080\"",
    ]
    listening_nowhere: "[node]\nlisten = []" => [
        "2:1 the node listens nowhere", "hint: write `listen = [\"127.0.0.1:8080\"]`, or add `[node.tls]`",
    ]
    the_same_address_twice: "[node]\nlisten = [\"127.0.0.1:80\"]\nadmin = \"127.0.0.1:80\"" => [
        "3:9 `127.0.0.1:80` is listened on twice", "hint: the other is in line 2",
    ]
    admin_is_an_address: "[node]\nadmin = \":8081\"" => [
        "2:9 `:8081` is not an address",
        "hint: `admin` has IP address and port, such as \"127.0.0.1:8080\"",
    ]
    workers_are_one_or_more: "[node]\nworkers = 0" => ["2:11 `workers` is 0; it must be from 1 to 1024"]
    workers_are_not_negative: "[node]\nworkers = -1" => ["2:11 `workers` is -1; it must be from 1 to 1024"]
    workers_are_countable: "[node]\nworkers = 99999999999999999999" => [
        "2:11 `workers` is 99999999999999999999; it must be from 1 to 1024",
    ]
    workers_are_whole: "[node]\nworkers = 1.5" => ["2:11 `workers` must be a whole number, not a float"]
    state_is_a_path: "[node]\nstate = \"\"" => ["2:9 a path cannot be empty"]
    the_access_log_is_a_word_or_a_path: "[node]\naccess-log = false" => ["2:14 `access-log` must be a string, not a boolean"]
    tls_needs_addresses_and_certificates: "[node.tls]" => [
        "1:1 `[node.tls]` needs `listen`", "hint: add `listen = [\"127.0.0.1:8443\"]`",
        "1:1 `[node.tls]` needs `certificates`",
        "hint: add `certificates = [{ cert = \"site.pem\", key = \"site.key\" }]`",
    ]
    certificates_are_a_list: "[node.tls]\nlisten = [\"127.0.0.1:443\"]\ncertificates = \"site.pem\"" => [
        "3:16 `certificates` must be a list of tables, not a string",
    ]
    a_certificate_has_a_key: "[node.tls]\nlisten = [\"127.0.0.1:443\"]\ncertificates = [{ cert = \"site.pem\" }]" => [
        "3:17 `[[node.tls.certificates]]` needs `key`", "hint: add `key = \"site.key\"`",
    ]
    a_certificates_file_is_there: "[node.tls]\nlisten = [\"127.0.0.1:443\"]\ncertificates = [{ cert = \"no.pem\", key = \"folder\" }]" => [
        "3:26 cannot read `no.pem`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
        "3:42 `folder` is not a file",
    ]
    an_access_list_has_what_can_be_granted: "[node.acl]\npruge = []" => [
        "2:1 unknown key `pruge` in [node.acl]", "hint: did you mean `purge`?",
    ]
    an_access_list_has_networks: "[node.acl]\npurge = [\"localhost\", \"10.1.0.0/8\"]\nexplain = \"all\"\nadmin = [\"::1/129\"]" => [
        "2:10 `localhost` is no network",
        "hint: write an IP address or a network, such as \"127.0.0.1\" or \"10.0.0.0/8\"",
        "2:23 `10.1.0.0/8` has bits set behind its prefix", "hint: did you mean \"10.0.0.0/8\"?",
        "3:11 `explain` must be a list of strings, not a string",
        "4:10 `::1/129` is no network",
        "hint: write an IP address or a network, such as \"127.0.0.1\" or \"10.0.0.0/8\"",
    ]
    a_url_is_not_longer_than_64_kb: "[node.limits]\nurl = \"65 KB\"" => [
        "2:7 `url` is 65 KB; it must be from 256 B to 64 KB",
    ]
    a_head_is_not_longer_than_1_mb: "[node.limits]\nhead = \"2 MB\"" => ["2:8 `head` is 2 MB; it must be from 1 KB to 1 MB"]
    headers_are_a_number: "[node.limits]\nheaders = 2000" => ["2:11 `headers` is 2000; it must be from 1 to 1000"]
    connections_are_a_number: "[node.limits]\nconnections = 0" => [
        "2:15 `connections` is 0; it must be from 1 to 1000000",
    ]
    requests_per_connection_are_one_or_more: "[node.limits]\nrequests-per-connection = 0" => [
        "2:27 `requests-per-connection` is 0; it must be from 1 to 4294967295",
    ]
    idle_is_a_time: "[node.limits]\nidle = 60" => ["2:8 `idle` must be a time such as \"5 s\", not an integer"]
    idle_has_a_unit: "[node.limits]\nidle = \"60\"" => [
        "2:8 `60` is not a time",
        "hint: write a whole number and a unit, such as \"5 s\" (us, ms, s, min, h, d, w, y)",
    ]
    the_head_timeout_has_a_range: "[node.limits]\nhead-timeout = \"1 h\"" => [
        "2:16 `head-timeout` is 1 h; it must be from 1 s to 10 min",
    ]
    body_idle_has_a_range: "[node.limits]\nbody-idle = \"0 s\"" => ["2:13 `body-idle` is 0 s; it must be from 1 s to 1 h"]
    the_body_rate_has_a_range: "[node.limits]\nbody-rate = \"2 MB\"" => [
        "2:13 `body-rate` is 2 MB; it must be from 0 B to 1 MB",
    ]
    the_body_grace_has_a_range: "[node.limits]\nbody-grace = \"0 s\"" => [
        "2:14 `body-grace` is 0 s; it must be from 1 s to 1 h",
    ]
    // `cdn-behaviour.md` section 20: 64 GB.
    a_request_body_has_at_most_64_gb: "[node.limits]\nrequest-body = \"65 GB\"" => [
        "2:16 `request-body` is 65 GB; it must be from 0 B to 64 GB",
    ]
    drain_has_a_range: "[node.limits]\ndrain = \"2 h\"" => ["2:9 `drain` is 2 h; it must be from 0 s to 1 h"]
    a_location_is_short: format!("[node]\nlocation = {{ name = \"{}\" }}", "a".repeat(65)) => [
        "2:21 `name` must have at most 64 characters, and no control characters",
    ]
    memory_is_a_size: "[cache]\nmemory = 256" => ["2:10 `memory` must be a size such as \"256 MB\", not an integer"]
    memory_has_a_range: "[cache]\nmemory = \"1 KB\"" => ["2:10 `memory` is 1 KB; it must be from 1 MB to 16384 GB"]
    a_tag_header_is_a_header_name: "[cache]\ntag-headers = [\"cache tag\"]" => ["2:16 `cache tag` is no header name"]
    an_object_is_at_most_a_quarter_of_the_memory: "[cache]\nmemory = \"8 MB\"\nmax-object = \"3 MB\"" => [
        "3:14 `max-object` is 3 MB; it must be at most a quarter of `memory`, 2 MB",
        "hint: a larger one would push out most of the cache at once",
    ]
    an_object_is_at_most_a_quarter_of_the_disk: "[cache]\nmax-object = \"9 MB\"\ndisk = { path = \"c\", size = \"32 MB\" }\nmemory = \"8 MB\"" => [
        "2:14 `max-object` is 9 MB; it must be at most a quarter of `disk`, 8 MB",
        "hint: a larger one would push out most of the cache at once",
    ]
}

wrong_alone! {
    a_text_has_quotes: "[node]\nadmin = localhost" => [
        "2:9 string values must be quoted", "hint: a text stands in quotes: key = \"text\"",
    ]
    a_table_has_its_bracket: "[node\nworkers = 1" => ["1:6 unclosed table, expected `]`"]
}
