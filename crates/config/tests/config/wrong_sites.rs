//! Wrong settings of origins, policies and distributions, with what is said about each.

use super::{problems, right, wrong, wrong_alone};

wrong! {
    an_origin_has_a_url: "[origins.a]" => [
        "1:1 `[origins.a]` needs `url`", "hint: add `url = \"http://127.0.0.1:9000\"`",
    ]
    a_url_has_no_query: "[origins.a]\nurl = \"http://a/?b\"" => ["2:7 wrong URL of an origin: it cannot have `?`"]
    a_url_has_a_host: "[origins.a]\nurl = \"http://a_é\"" => [
        "2:7 wrong URL of an origin: its host is wrong: it cannot have the character `é`",
    ]
    the_vendors_key_is_recognised: "[origins.a]\nurl = \"builtin:demo\"\nConnectionAttempts = 2" => [
        "3:1 unknown key `ConnectionAttempts` in [origins.a]", "hint: it is called `attempts` here",
    ]
    a_host_header_is_a_host: "[origins.a]\nurl = \"builtin:demo\"\nhost-header = \"a b\"" => [
        "3:15 wrong host: it cannot have the character ` `",
    ]
    a_host_headers_port_is_a_port: "[origins.a]\nurl = \"builtin:demo\"\nhost-header = \"a:0\"" => [
        "3:15 wrong host: its port is a number from 1 to 65535",
    ]
    // `cdn-behaviour.md` section 8.
    connecting_takes_1_to_10_seconds: "[origins.a]\nurl = \"builtin:demo\"\nconnect-timeout = \"11 s\"" => [
        "3:19 `connect-timeout` is 11 s; it must be from 1 s to 10 s",
    ]
    reading_takes_1_to_120_seconds: "[origins.a]\nurl = \"builtin:demo\"\nread-timeout = \"3 min\"" => [
        "3:16 `read-timeout` is 3 min; it must be from 1 s to 2 min",
    ]
    completion_takes_longer_than_reading: "[origins.a]\nurl = \"builtin:demo\"\nread-timeout = \"10 s\"\ncompletion-timeout = \"9 s\"" => [
        "4:22 `completion-timeout` is 9 s; it must be from 10 s to 1 d",
    ]
    keepalive_has_a_range: "[origins.a]\nurl = \"builtin:demo\"\nkeepalive = \"6 min\"" => [
        "3:13 `keepalive` is 6 min; it must be from 1 s to 5 min",
    ]
    there_are_1_to_3_attempts: "[origins.a]\nurl = \"builtin:demo\"\nattempts = 4" => [
        "3:12 `attempts` is 4; it must be from 1 to 3",
    ]
    max_connections_has_a_range: "[origins.a]\nurl = \"builtin:demo\"\nmax-connections = 0" => [
        "3:19 `max-connections` is 0; it must be from 1 to 65535",
    ]
    the_roots_are_there: "[origins.a]\nurl = \"builtin:demo\"\nca = \"no.pem\"" => [
        "3:6 cannot read `no.pem`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
    // `lambda-at-edge.md` section 3.6.
    the_demo_is_no_bucket: "[origins.a]\nurl = \"builtin:demo\"\ns3 = {}" => [
        "3:6 the demo origin is no bucket", "hint: give `url` a bucket's address",
    ]
    what_is_signed_has_a_region: "[origins.a]\nurl = \"http://127.0.0.1:9000/b\"\ns3 = { auth-method = \"origin-access-control\" }" => [
        "3:6 `s3` needs `region`", "hint: add `region = \"us-east-1\"`",
    ]
    a_region_is_a_word: "[origins.a]\nurl = \"http://127.0.0.1:9000/b\"\ns3 = { region = \"EU Central\" }" => [
        "3:17 `EU Central` is no region",
        "hint: a region is lower-case letters, digits and `-`, such as \"eu-central-1\"",
    ]
    keys_are_for_signatures: "[origins.a]\nurl = \"http://127.0.0.1:9000/b\"\ns3 = { signing-behavior = \"never\", credentials-file = \"roots.pem\" }" => [
        "3:8 `signing-behavior` is for an access control",
        "hint: add `auth-method = \"origin-access-control\"`, or leave it out",
        "3:36 `credentials-file` is for requests that are signed",
        "hint: add `auth-method = \"origin-access-control\"`, or leave it out",
    ]
    a_profile_is_in_a_file: "[origins.a]\nurl = \"https://b.s3.amazonaws.com\"\ns3 = { auth-method = \"origin-access-identity\", profile = \"cdn\" }" => [
        "3:58 `profile` is a section of `credentials-file`",
        "hint: add `credentials-file`, or leave it out: the node's environment has one set of keys",
    ]
    custom_headers_are_a_table: "[origins.a]\nurl = \"builtin:demo\"\nheaders = [\"X-A: b\"]" => [
        "3:11 `headers` must be a table of strings, not a list",
    ]
    // Section 7.4.
    custom_headers_are_not_those_of_the_node: "[origins.a]\nurl = \"builtin:demo\"\nheaders = { Host = \"a\", X-Amz-Id = \"b\", \"a b\" = \"c\", X-N = 1, X-C = \"a\\nb\" }" => [
        "3:13 `Host` cannot be a custom header: the node sets it itself",
        "3:25 `X-Amz-Id` cannot be a custom header: the node sets it itself",
        "3:41 `a b` is no header name",
        "3:60 `X-N` must be a string, not an integer",
        "3:69 the value of `X-C` has a control character",
    ]
    a_custom_header_is_there_once: "[origins.a]\nurl = \"builtin:demo\"\nheaders = { X-A = \"1\", x-a = \"2\" }" => [
        "3:24 header `x-a` is there twice",
    ]
    custom_headers_are_not_too_long: format!("[origins.a]\nurl = \"builtin:demo\"\nheaders = {{ {} = \"\", b = \"{}\" }}", "a".repeat(257), "v".repeat(1784)) => [
        "3:13 a header name has at most 256 characters",
        "3:281 a header's value has at most 1783 characters",
    ]
    custom_headers_are_not_too_many: format!("[origins.a]\nurl = \"builtin:demo\"\n[origins.a.headers]\n{}", (0..31).map(|n| format!("x-{n} = \"\"\n")).collect::<String>()) => [
        "3:12 an origin has at most 30 custom headers, 10240 characters together",
    ]
    a_group_has_two_members: "[origin-groups.g]" => [
        "1:1 `[origin-groups.g]` needs `primary`", "hint: add `primary = \"app\"`",
        "1:1 `[origin-groups.g]` needs `secondary`", "hint: add `secondary = \"app\"`",
    ]
    a_groups_members_are_origins: "[origin-groups.g]\nprimary = \"app\"\nsecondary = \"backup\"" => [
        "3:13 there is no origin `backup`", "hint: define it with `[origins.backup]`",
    ]
    a_groups_members_differ: "[origin-groups.g]\nprimary = \"app\"\nsecondary = \"app\"" => [
        "3:13 the secondary origin is the primary one",
    ]
    a_group_has_a_name_of_its_own: "[origins.g]\nurl = \"builtin:demo\"\n[origin-groups.g]\nprimary = \"app\"\nsecondary = \"g\"" => [
        "3:16 `g` is the name of an origin already", "hint: a behavior's `origin` could not tell them apart",
    ]
    // Section 9.
    failover_has_statuses_of_the_list: "[origins.b]\nurl = \"builtin:demo\"\n[origin-groups.g]\nprimary = \"app\"\nsecondary = \"b\"\nfailover = [500, 418, \"503\"]" => [
        "6:18 not a status that an origin group can act on",
        "hint: statuses here: 400, 403, 404, 416, 429, 500, 502, 503, 504",
        "6:23 not a status that an origin group can act on",
        "hint: statuses here: 400, 403, 404, 416, 429, 500, 502, 503, 504",
    ]
    failover_has_a_status: "[origins.b]\nurl = \"builtin:demo\"\n[origin-groups.g]\nprimary = \"app\"\nsecondary = \"b\"\nfailover = []" => [
        "6:12 `failover` has at least one status",
    ]
    failover_is_a_list: "[origins.b]\nurl = \"builtin:demo\"\n[origin-groups.g]\nprimary = \"app\"\nsecondary = \"b\"\nfailover = 500" => [
        "6:12 `failover` must be a list of statuses, not an integer",
    ]
    a_policy_is_not_a_built_in_one: "[cache-policies.caching-disabled]" => [
        "1:17 `caching-disabled` is a built-in cache policy", "hint: choose another name",
    ]
    a_profile_is_known: "[cache-policies.p]\nprofile = \"rcf\"" => [
        "2:11 `profile` cannot be \"rcf\"", "hint: did you mean \"rfc\"? It is one of \"rfc\", \"cloudfront\"",
    ]
    // `InvalidTTLOrder`, section 10.1.
    times_are_in_order: "[cache-policies.p]\nmin-ttl = \"2 s\"\ndefault-ttl = \"1 s\"\nmax-ttl = \"0 s\"" => [
        "3:15 `default-ttl` is less than `min-ttl`", "hint: min-ttl ≤ default-ttl ≤ max-ttl",
        "4:11 `max-ttl` is less than `default-ttl`", "hint: min-ttl ≤ default-ttl ≤ max-ttl",
    ]
    the_longest_is_not_less_than_the_shortest: "[cache-policies.p]\nmin-ttl = \"2 s\"\nmax-ttl = \"1 s\"" => [
        "3:11 `max-ttl` is less than `min-ttl`", "hint: min-ttl ≤ default-ttl ≤ max-ttl",
    ]
    error_times_are_for_one_profile: "[cache-policies.p]\nerror-ttl = \"1 s\"" => [
        "2:1 `error-ttl` is for the profile \"cloudfront\"",
        "hint: with the profile \"rfc\" errors are kept as long as the origin says",
    ]
    error_times_are_for_errors_that_are_kept: "[cache-policies.p]\nprofile = \"cloudfront\"\nerror-ttl = { 416 = \"1 s\", 404 = 5 }" => [
        "3:15 unknown key `416` in `error-ttl`", "hint: did you mean `410`?",
        "3:34 `404` must be a time such as \"5 s\", not an integer",
    ]
    slices_are_neither_tiny_nor_huge: "[cache-policies.p]\nslice = \"1 KB\"" => [
        "2:9 `slice` is 1 KB; it must be from 64 KB to 64 MB",
    ]
    the_size_of_slices_is_a_size: "[cache-policies.p]\nslice = \"big\"" => [
        "2:9 `big` is not a size", "hint: write a whole number and a unit, such as \"256 MB\" (B, KB, MB, GB)",
    ]
    times_are_at_most_100_years: "[cache-policies.p]\nmax-ttl = \"101 y\"" => [
        "2:11 `max-ttl` is 101 y; it must be from 0 s to 100 y",
    ]
    // Section 20: 10 names in a list.
    a_list_has_at_most_10_names: "[cache-policies.p]\nquery = [\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]" => [
        "2:9 `query` has 11 names; it has at most 10",
    ]
    a_list_has_each_name_once: "[cache-policies.p]\nheaders = [\"Accept\", \"accept\", \"\", \"a b\"]" => [
        "2:22 `accept` is there twice", "2:32 `headers` has an empty name", "2:36 `a b` is no header name",
    ]
    all_names_have_at_most_1024_characters: format!("[cache-policies.p]\nquery = [\"{}\"]\ncookies = [\"{}\"]", "q".repeat(600), "c".repeat(500)) => [
        "1:1 all names of a cache policy have at most 1024 characters, these have 1100",
    ]
    // Section 7.5.
    some_headers_are_in_no_key: "[cache-policies.p]\nheaders = [\"CloudFront-Viewer-Address\"]" => [
        "2:12 `CloudFront-Viewer-Address` cannot be in a cache key",
        "hint: nearly every viewer has another one; forward it instead",
    ]
    a_set_is_a_word_a_list_or_an_exception: "[cache-policies.p]\nquery = \"some\"\ncookies = true" => [
        "2:9 `query` cannot be \"some\"",
        "hint: write \"none\", \"all\", [\"a\", \"b\"] or { except = [\"a\"] }",
        "3:11 `cookies` must be a set of names, not a boolean",
        "hint: write \"none\", \"all\", [\"a\", \"b\"] or { except = [\"a\"] }",
    ]
    an_exception_names_something: "[cache-policies.p]\nquery = {}" => [
        "2:9 `query` needs `except`", "hint: write \"none\", \"all\", [\"a\", \"b\"] or { except = [\"a\"] }",
    ]
    enabled_is_true_or_false: "[cache-policies.p]\nenabled = \"no\"" => [
        "2:11 `enabled` must be true or false, not a string",
    ]
}

/// Problems of a distribution with these keys, and of a behavior with these.
fn site(keys: &str, behavior: &str) -> Vec<String> {
    let text = format!(
        "[[distributions]]\n{keys}\n[[distributions.behaviors]]\n{behavior}\n[origins.app]\nurl = \"builtin:demo\"\n\
         [functions.js]\ncode = \"index.js\"\n[functions.wasm]\ncomponent = \"function.wasm\"\n\
         [functions.large]\ncomponent = \"function.wasm\"\nmemory = \"256 MB\"\ntimeout = \"10 s\"\n\
         [functions.newer]\ncomponent = \"function.wasm\"\nlimits = \"2026\"\nmemory = \"256 MB\"\n"
    );
    problems(&text)
}

/// One test for each wrong key of a distribution.
macro_rules! wrong_distribution {
    ($($name:ident: $keys:expr => [$($line:expr),* $(,)?])*) => {
        $(#[test]
        fn $name() {
            assert_eq!(site($keys, "origin = \"app\""), [$($line),*] as [&str; _]);
        })*
    };
}

/// One test for each wrong key of a behavior; its first line is line 4 of the file.
macro_rules! wrong_behavior {
    ($($name:ident: $keys:expr => [$($line:expr),* $(,)?])*) => {
        $(#[test]
        fn $name() {
            let keys = format!("{}\norigin = \"app\"", $keys);
            assert_eq!(site("domains = [\"*\"]", &keys), [$($line),*] as [&str; _]);
        })*
    };
}

wrong_distribution! {
    a_distribution_has_domains: "" => [
        "1:1 `[[distributions]]` needs `domains`", "hint: add `domains = [\"www.example.com\"]`",
    ]
    a_distribution_has_a_domain: "domains = []" => ["2:11 a distribution has 1 to 100 domains"]
    a_domain_is_a_host: "domains = [\"https://a.com\", \"a.com:80\", \"a*\"]" => [
        "2:12 wrong domain `https://a.com`: it is a URL; write the host alone",
        "2:29 wrong domain `a.com:80`: it has a port; write the host alone",
        "2:41 wrong domain `a*`: `*` stands alone or at the beginning, as in \"*.example.com\"",
    ]
    a_domain_is_there_once: "domains = [\"a.com\", \"A.com\"]" => [
        "2:21 domain `a.com` is there twice", "hint: the other is in line 2",
    ]
    the_vendors_aliases_are_domains: "Aliases = [\"a.com\"]\ndomains = [\"a.com\"]" => [
        "2:1 unknown key `Aliases` in [[distributions]]", "hint: it is called `domains` here",
    ]
    an_id_has_letters_and_digits: "domains = [\"a.com\"]\nid = \"a-b\"" => [
        "3:6 `a-b` is no distribution id", "hint: an id is 1 to 64 letters and digits",
    ]
    a_domain_name_is_a_host: "domains = [\"a.com\"]\ndomain-name = \"a b\"" => [
        "3:15 wrong domain: it cannot have the character ` `",
    ]
    a_domain_name_is_one_name: "domains = [\"a.com\"]\ndomain-name = \"*.b.com\"" => [
        "3:15 a distribution's own name has no `*`",
    ]
    a_root_object_has_no_slash_first: "domains = [\"a.com\"]\ndefault-root-object = \"/index.html\"" => [
        "3:23 wrong default root object `/index.html`: it begins without `/`",
        "hint: write the name of an object, such as \"index.html\"",
    ]
    a_root_object_is_a_path: "domains = [\"a.com\"]\ndefault-root-object = \"a?b\"" => [
        "3:23 wrong default root object `a?b`: it cannot have the character `?`",
        "hint: write the name of an object, such as \"index.html\"",
    ]
    // Section 11.
    error_pages_are_tables: "domains = [\"a.com\"]\nerror-pages = \"/404.html\"" => [
        "3:15 `error-pages` must be a list of tables", "hint: write `[[distributions.error-pages]]` with two brackets",
    ]
    an_error_page_has_status_and_page: "domains = [\"a.com\"]\nerror-pages = [{}]" => [
        "3:16 `[[distributions.error-pages]]` needs `status`", "hint: add `status = 404`",
        "3:16 `[[distributions.error-pages]]` needs `page`", "hint: add `page = \"/errors/404.html\"`",
    ]
    an_error_pages_status_is_one_that_can_have_one: "domains = [\"a.com\"]\nerror-pages = [{ status = 401, page = \"/a\" }]" => [
        "3:18 `status` cannot be 401",
        "hint: it is one of 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504",
    ]
    an_error_pages_path_is_a_path: "domains = [\"a.com\"]\nerror-pages = [{ status = 404, page = \"a.html\" }]" => [
        "3:39 wrong page `a.html`", "hint: write a path of this site, such as \"/errors/404.html\"",
    ]
    a_status_has_one_page: "domains = [\"a.com\"]\nerror-pages = [{ status = 404, page = \"/a\" }, { status = 404, page = \"/b\" }]" => [
        "3:49 a page for 404 is there already",
    ]
}

wrong_behavior! {
    a_pattern_has_the_characters_of_patterns: "path = \"/a b\"" => [
        "4:8 a path pattern cannot have the character ` `",
        "hint: a pattern has letters, digits, `_-.$/~\"'@:+&`, `*` for any characters and `?` for one",
    ]
    the_vendors_pattern_is_a_path: "PathPattern = \"/a\"" => [
        "4:1 unknown key `PathPattern` in [[distributions.behaviors]]", "hint: it is called `path` here",
    ]
    a_protocol_is_known: "viewer-protocol = \"https\"" => [
        "4:19 `viewer-protocol` cannot be \"https\"",
        "hint: it is one of \"allow-all\", \"redirect-to-https\", \"https-only\"",
    ]
    methods_are_one_of_three_sets: "methods = [\"GET\", \"POST\"]" => [
        "4:11 not a set of methods that a behavior can have",
        "hint: write [\"GET\", \"HEAD\"], [\"GET\", \"HEAD\", \"OPTIONS\"], \"all\" or \"any\"",
    ]
    methods_are_a_list: "methods = \"GET\"" => [
        "4:11 `methods` must be a list of methods, \"all\" or \"any\"",
        "hint: write [\"GET\", \"HEAD\"], [\"GET\", \"HEAD\", \"OPTIONS\"], \"all\" or \"any\"",
    ]
    a_cache_policy_is_defined: "cache-policy = \"caching-optimised\"" => [
        "4:16 there is no cache policy `caching-optimised`", "hint: did you mean `caching-optimized`?",
    ]
    compression_needs_the_coding_in_the_key: "cache-policy = \"caching-disabled\"\ncompress = true" => [
        "5:1 `compress` does nothing with the cache policy `caching-disabled`",
        "hint: the policy stores nothing; only what is stored is compressed",
    ]
    forward_is_known: "forward = \"all\"" => [
        "4:11 `forward` cannot be \"all\"",
        "hint: it is one of \"all-viewer\", \"all-viewer-except-host\", \"none\"",
    ]
    forward_is_a_string_or_a_table: "forward = []" => ["4:11 `forward` must be a string or a table, not a list"]
    forward_has_three_parts: "forward = { header = \"all\" }" => [
        "4:13 unknown key `header` in `forward`", "hint: did you mean `headers`?",
    ]
    // Section 7.1.
    some_headers_are_not_forwarded_by_name: "forward = { headers = [\"Authorization\"] }" => [
        "4:13 `authorization` cannot be forwarded by name",
        "hint: put it into the cache policy, or forward \"all-viewer\"",
    ]
    a_function_is_defined: "viewer-request = \"j\"" => [
        "4:18 there is no function `j`", "hint: did you mean `js`?",
    ]
    a_viewer_function_runs_at_viewer_hooks: "origin-request = \"js\"\norigin-response = \"js\"" => [
        "4:18 `js` is a viewer function and cannot run at origin-request",
        "hint: functions at origin hooks are those with `component`",
        "5:19 `js` is a viewer function and cannot run at origin-response",
        "hint: functions at origin hooks are those with `component`",
    ]
    a_chain_is_at_a_viewer_hook: "origin-request = [\"wasm\"]" => [
        "4:18 `origin-request` must be a string, not a list",
    ]
    a_chain_names_functions: "viewer-request = [\"js\", \"jss\", 3]" => [
        "4:25 there is no function `jss`", "hint: did you mean `js`?",
        "4:32 `viewer-request` has strings, not an integer",
    ]
    a_chain_has_a_function: "viewer-response = []" => [
        "4:19 `viewer-response` has 0 functions; a list has 1 to 8", "hint: leave the key out where nothing runs",
    ]
    a_chain_ends: "viewer-request = [\"js\", \"js\", \"js\", \"js\", \"js\", \"js\", \"js\", \"js\", \"js\"]" => [
        "4:18 `viewer-request` has 9 functions; a list has 1 to 8", "hint: leave the key out where nothing runs",
    ]
    // `lambda-at-edge.md` section 1, the four cells that say no.
    a_component_at_viewer_request_excludes_a_viewer_function_at_viewer_response: "viewer-request = \"wasm\"\nviewer-response = \"js\"" => [
        "5:19 `js` is a viewer function and `wasm` a component; the viewer hooks of a behavior have one kind only",
        "hint: move the component to an origin hook",
    ]
    a_component_at_viewer_response_excludes_a_viewer_function_at_viewer_request: "viewer-request = \"js\"\nviewer-response = \"wasm\"" => [
        "5:19 `js` is a viewer function and `wasm` a component; the viewer hooks of a behavior have one kind only",
        "hint: move the component to an origin hook",
    ]
    viewer_response_on_errors_needs_a_function: "viewer-response-on-errors = true" => [
        "4:1 `viewer-response-on-errors` has no function to run",
        "hint: name the function in `viewer-response`, or leave this out",
    ]
    // `lambda-at-edge.md` section 8, classic.
    a_component_at_a_viewer_hook_has_128_mb_and_5_s: "viewer-request = \"large\"\norigin-request = \"large\"\nviewer-response = \"newer\"" => [
        "4:18 `large` has 256 MB of memory; at viewer-request it may have 128 MB",
        "hint: set `limits = \"2026\"` in the function to go beyond",
        "4:18 `large` has a timeout of 10 s; at viewer-request it may have 5 s",
        "hint: set `limits = \"2026\"` in the function to go beyond",
    ]
}

#[test]
fn components_and_viewer_functions_mix_at_different_tiers() {
    let said = site(
        "domains = [\"*\"]",
        "origin = \"none\"\nviewer-request = \"js\"\norigin-request = \"wasm\"\norigin-response = \"wasm\"",
    );
    assert_eq!(said, ["4:10 there is no origin `none`", "hint: define it with `[origins.none]`"]);
}

wrong_alone! {
    distributions_are_a_list: "[distributions]\ndomains = []" => [
        "1:1 `distributions` must be a list of tables", "hint: write `[[distributions]]` with two brackets",
    ]
    there_is_a_distribution: "distributions = []" => [
        "1:1 there is no distribution, so the node would serve nothing",
    ]
    behaviors_are_a_list: "[[distributions]]\ndomains = [\"*\"]\n[distributions.behaviors]\norigin = \"app\"" => [
        "3:1 `behaviors` must be a list of tables",
        "hint: write `[[distributions.behaviors]]` with two brackets",
    ]
    there_are_behaviors: "[[distributions]]\ndomains = [\"*\"]" => [
        "1:1 `[[distributions]]` has no behavior for all other paths",
        "hint: add a last `[[distributions.behaviors]]` without `path`, with `origin = \"…\"`",
    ]
    the_last_behavior_takes_the_rest: "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\nbehaviors = [{ path = \"/a\", origin = \"a\" }]" => [
        "2:1 `[[distributions]]` has no behavior for all other paths",
        "hint: add a last `[[distributions.behaviors]]` without `path`, with `origin = \"…\"`",
    ]
    the_behavior_that_takes_the_rest_is_last: "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\nbehaviors = [\n{ path = \"*\", origin = \"a\" },\n{ path = \"/a\", origin = \"a\" }]" => [
        "5:3 this behavior takes every path, so those after it are never used", "hint: put it last",
    ]
    a_pattern_is_there_once: "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\nbehaviors = [\n{ path = \"/a\", origin = \"a\" },\n{ path = \"/a\", origin = \"a\" }, { origin = \"a\" }]" => [
        "6:3 a behavior for `/a` is there already",
    ]
    a_behavior_has_an_origin: "[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]" => [
        "3:1 `[[distributions.behaviors]]` needs `origin`", "hint: add `origin = \"app\"`",
    ]
    a_domain_belongs_to_one_distribution: "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"a.com\"]\nbehaviors = [{ origin = \"a\" }]\n[[distributions]]\ndomains = [\"b.com\", \"a.com\"]\nbehaviors = [{ origin = \"a\" }]" => [
        "6:21 domain `a.com` is there twice", "hint: the other is in line 3",
    ]
    an_id_belongs_to_one_distribution: "origins.a.url = \"builtin:demo\"\n[[distributions]]\nid = \"E1\"\ndomain-name = \"x\"\ndomains = [\"a.com\"]\nbehaviors = [{ origin = \"a\" }]\n[[distributions]]\nid = \"E1\"\ndomains = [\"b.com\"]\nbehaviors = [{ origin = \"a\" }]" => [
        "8:1 distribution id `E1` is there twice",
    ]
    a_domain_name_belongs_to_one_distribution: "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"a.com\"]\nbehaviors = [{ origin = \"a\" }]\n[[distributions]]\ndomain-name = \"a.com\"\ndomains = [\"b.com\"]\nbehaviors = [{ origin = \"a\" }]" => [
        "6:1 domain `a.com` is there twice", "hint: the other is in line 3",
    ]
}

// Section 20: limits of a distribution.
#[test]
fn a_distribution_has_at_most_75_behaviors_and_the_default_one() {
    let file = |count: usize| {
        let behaviors: String = (0..count).map(|n| format!("{{ path = \"/{n}\", origin = \"a\" }},")).collect();
        format!(
            "origins.a.url = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\nbehaviors = [{behaviors}{{ origin = \"a\" }}]"
        )
    };
    assert!(super::parse(&file(75)).is_ok());
    assert_eq!(problems(&file(76)), ["4:1 a distribution has at most 75 behaviors besides the default one"]);
}

#[test]
fn a_distribution_uses_at_most_10_groups() {
    let mut text = "origins.a.url = \"builtin:demo\"\norigins.b.url = \"http://b\"\n".to_owned();
    let mut behaviors = String::new();
    for n in 0..11 {
        text += &format!("[origin-groups.g{n}]\nprimary = \"a\"\nsecondary = \"b\"\n");
        behaviors += &format!("[[distributions.behaviors]]\norigin = \"g{n}\"\n");
        if n < 10 {
            behaviors += &format!(
                "path = \"/{n}\"
"
            );
        }
    }
    let said = problems(&format!("{text}[[distributions]]\ndomains = [\"*\"]\n{behaviors}"));
    assert_eq!(said.len(), 1);
    assert!(said[0].ends_with("a distribution uses at most 100 origins and 10 origin groups"), "{said:?}");
}

#[test]
fn a_distribution_has_at_most_100_domains() {
    let domains: String = (0..101).map(|n| format!("\"d{n}.com\",")).collect();
    assert_eq!(
        site(&format!("domains = [{domains}]"), "origin = \"app\""),
        ["2:11 a distribution has 1 to 100 domains"]
    );
}

/// What is allowed and may surprise, as `problems` writes what is wrong.
fn warnings(policy: &str) -> Vec<String> {
    let text = format!(
        "[[distributions]]\ndomains = [\"a.test\"]\n[[distributions.behaviors]]\norigin = \"app\"\n{policy}\n\
         [cache-policies.own]\nprofile = \"cloudfront\"\ncookies = \"all\"\nquery = {{ except = [\"a\"] }}\n"
    );
    let told =
        |warning: &rimward_config::Diagnostic| format!("{}:{} {}", warning.line, warning.column, warning.message);
    right(&text).warnings.iter().map(told).collect()
}

#[test]
fn what_reaches_the_origin_outside_of_the_key_is_warned_of() {
    let warning = |parts: &str, policy: &str| {
        vec![format!(
            "6:1 `forward` lets {parts} through that are not in the key of the cache policy `{policy}`: what the origin makes of \
             one viewer's may be given to another"
        )]
    };
    let all = "cookies, `Authorization` and query parameters";
    for (forward, told) in [
        ("\"all-viewer\"", warning(all, "caching-optimized")),
        ("\"all-viewer-except-host\"", warning(all, "caching-optimized")),
        ("{ headers = { except = [\"Authorization\"] }, cookies = [\"a\"] }", warning("cookies", "caching-optimized")),
        ("{ headers = [\"accept\"], query = [\"a\"] }", warning("query parameters", "caching-optimized")),
        ("\"none\"", Vec::new()),
        ("{ headers = [\"accept\"] }", Vec::new()),
    ] {
        assert_eq!(warnings(&format!("cache-policy = \"caching-optimized\"\nforward = {forward}")), told, "{forward}");
    }
    let keyed = |forward: &str| warnings(&format!("cache-policy = \"own\"\nforward = {forward}"));
    assert_eq!(keyed("{ cookies = \"all\", query = { except = [\"a\", \"b\"] } }"), Vec::<String>::new());
    assert_eq!(keyed("{ query = { except = [\"b\"] } }"), warning("query parameters", "own"));
    for (policy, forward) in [("caching-disabled", "\"all-viewer\""), ("origin-cache-control", "\"all-viewer\"")] {
        assert!(warnings(&format!("cache-policy = \"{policy}\"\nforward = {forward}")).is_empty(), "{policy}");
    }
    assert!(warnings("cache-policy = \"caching-optimized\"").is_empty());
}
