//! Wrong settings of functions and stores, with what is said about each.

use super::wrong;

wrong! {
    a_name_has_letters_digits_and_dashes: "[functions.\"a b\"]\ncode = \"index.js\"" => [
        "1:12 `a b` is no name for a function", "hint: a name is 1 to 64 letters, digits, `-` and `_`",
    ]
    a_name_has_at_most_64_characters: format!("[functions.{}]\ncode = \"index.js\"", "a".repeat(65)) => [
        format!("1:12 `{}` is no name for a function", "a".repeat(65)).as_str(),
        "hint: a name is 1 to 64 letters, digits, `-` and `_`",
    ]
    a_function_has_code_or_a_component: "[functions.f]" => [
        "1:1 [functions.f] has neither `code` nor `component`",
        "hint: add `code = \"index.js\"` (viewer function) or `component = \"function.wasm\"` (origin function)",
    ]
    a_function_has_not_both: "[functions.f]\ncode = \"index.js\"\ncomponent = \"function.wasm\"" => [
        "1:1 [functions.f] has both `code` and `component`",
        "hint: `code` makes it a viewer function, `component` an origin function: leave one out",
    ]
    a_function_is_a_table: "functions.f = \"index.js\"" => ["1:15 `[functions.f]` must be a table, not a string"]
    a_viewer_function_has_no_network: "[functions.f]\ncode = \"index.js\"\nnetwork = []" => [
        "3:1 `network` is for origin functions, those with `component`",
    ]
    a_component_has_no_runtime: "[functions.f]\ncomponent = \"function.wasm\"\nruntime = \"cloudfront-js-2.0\"" => [
        "3:1 `runtime` is for viewer functions, those with `code`",
    ]
    the_code_is_there: "[functions.f]\ncode = \"indx.js\"" => [
        "2:8 cannot read `indx.js`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
    the_code_is_a_file: "[functions.f]\ncode = \"folder\"" => ["2:8 `folder` is not a file"]
    the_component_is_there: "[functions.f]\ncomponent = \"f.wasm\"" => [
        "2:13 cannot read `f.wasm`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
    the_runtime_is_known: "[functions.f]\ncode = \"index.js\"\nruntime = \"cloudfront-js-3.0\"" => [
        "3:11 `runtime` cannot be \"cloudfront-js-3.0\"",
        "hint: did you mean \"cloudfront-js-1.0\"? It is one of \"cloudfront-js-1.0\", \"cloudfront-js-2.0\"",
    ]
    the_store_is_defined: "[functions.f]\ncode = \"index.js\"\nkey-value-store = \"keys\"\n[key-value-stores.key]\nfile = \"pairs.json\"" => [
        "3:19 there is no key value store `keys`", "hint: did you mean `key`?",
    ]
    // A store that is defined wrongly is one problem, not two.
    a_stores_size_has_bounds: "[key-value-stores.keys]\nsize = \"2 GB\"" => [
        "2:8 `size` is 2 GB; it must be from 1 KB to 1 GB",
    ]
    a_stores_file_is_there: "[key-value-stores.keys]\nfile = \"no.json\"" => [
        "2:8 cannot read `no.json`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
    a_viewer_function_has_at_most_100_ms: "[functions.f]\ncode = \"index.js\"\ntimeout = \"101 ms\"" => [
        "3:11 `timeout` is 101 ms; it must be from 100 us to 100 ms",
    ]
    a_viewer_functions_memory_has_a_range: "[functions.f]\ncode = \"index.js\"\nmemory = \"33 MB\"" => [
        "3:10 `memory` is 33 MB; it must be from 512 KB to 12 MB",
    ]
    the_code_limit_has_a_range: "[functions.f]\ncode = \"index.js\"\ncode-limit = \"2 MB\"" => [
        "3:14 `code-limit` is 2 MB; it must be from 1 B to 1 MB",
    ]
    a_secrets_file_is_there: "[functions.f]\ncode = \"index.js\"\nsecrets = { a = { file = \"no.txt\" } }" => [
        "3:26 cannot read `no.txt`: No such file or directory (os error 2)", "hint: relative paths begin at `FOLDER`",
    ]
    a_key_set_has_one_source: "[functions.f]\ncode = \"index.js\"\njwks = { refresh = \"1 min\" }" => [
        "3:8 `jwks` has one source, a URL or a file",
        "hint: write `{ url = \"https://id.example.com/.well-known/jwks.json\" }` or `{ file = \"jwks.json\" }`",
    ]
    a_key_set_comes_over_tls: "[functions.f]\ncode = \"index.js\"\njwks = { url = \"http://id.example.com/keys\" }" => [
        "3:16 wrong `url` of a key set: it must be https, or http of this machine",
    ]
    a_key_sets_url_is_one: "[functions.f]\ncode = \"index.js\"\njwks = { url = \"id.example.com\" }" => [
        "3:16 wrong `url` of a key set: it begins with http:// or https://, or is \"builtin:demo\"",
    ]
    a_key_set_is_loaded_every_10_seconds_at_most: "[functions.f]\ncode = \"index.js\"\njwks = { file = \"pairs.json\", refresh = \"1 s\" }" => [
        "3:41 `refresh` is 1 s; it must be from 10 s to 1 d",
    ]
    limits_are_a_known_profile: "[functions.f]\ncomponent = \"function.wasm\"\nlimits = \"clasic\"" => [
        "3:10 `limits` cannot be \"clasic\"",
        "hint: did you mean \"classic\"? It is one of \"classic\", \"2026\", \"custom\"",
    ]
    a_components_memory_ends_at_4_gb: "[functions.f]\ncomponent = \"function.wasm\"\nmemory = \"5 GB\"" => [
        "3:10 `memory` is 5 GB; it must be from 1 MB to 4 GB",
    ]
    a_component_has_at_most_30_s: "[functions.f]\ncomponent = \"function.wasm\"\ntimeout = \"31 s\"" => [
        "3:11 `timeout` is 31 s; it must be from 1 ms to 30 s",
    ]
    tmp_has_at_most_512_mb: "[functions.f]\ncomponent = \"function.wasm\"\ntmp = \"1 GB\"" => [
        "3:7 `tmp` is 1 GB; it must be from 0 B to 512 MB",
    ]
    concurrency_has_a_range: "[functions.f]\ncomponent = \"function.wasm\"\nconcurrency = 1001" => [
        "3:15 `concurrency` is 1001; it must be from 1 to 1000",
    ]
    include_body_is_true_or_false: "[functions.f]\ncomponent = \"function.wasm\"\ninclude-body = 1" => [
        "3:16 `include-body` must be true or false, not an integer",
    ]
    a_grant_has_host_and_port: "[functions.f]\ncomponent = \"function.wasm\"\nnetwork = [\"a.com\", \"*:1\", \"a:x\", \"https://a\", \"a:1\", \"A:1\"]" => [
        "3:12 `a.com` is no host and port: it has no port",
        "hint: write \"api.example.com:443\" or \"*.example.com:443\"",
        "3:21 `*:1` is no host and port: `*` stands alone or at the beginning, as in \"*.example.com\"",
        "hint: write \"api.example.com:443\" or \"*.example.com:443\"",
        "3:28 `a:x` is no host and port: its port is a number from 1 to 65535",
        "hint: write \"api.example.com:443\" or \"*.example.com:443\"",
        "3:35 `https://a` is no host and port: its port is a number from 1 to 65535",
        "hint: write \"api.example.com:443\" or \"*.example.com:443\"",
        "3:55 `A:1` is there twice",
    ]
    network_limits_have_ranges: "[functions.f]\ncomponent = \"function.wasm\"\nnetwork-limits = { calls = 0, byte = \"1 MB\" }" => [
        "3:28 `calls` is 0; it must be from 1 to 1000",
        "3:31 unknown key `byte` in network-limits", "hint: did you mean `bytes`?",
    ]
    a_secret_has_one_place: "[functions.f]\ncomponent = \"function.wasm\"\nsecrets = { A = {}, B = { file = \"index.js\", env = \"B\" }, C = \"hunter2\" }" => [
        "3:17 `secrets.A` needs one place, `file` or `env`",
        "hint: write `{ file = \"token.txt\" }` or `{ env = \"TOKEN\" }`",
        "3:25 `secrets.B` needs one place, `file` or `env`",
        "hint: write `{ file = \"token.txt\" }` or `{ env = \"TOKEN\" }`",
        "3:63 `secrets.C` must be a table, not a string",
    ]
    a_destination_is_one_place: "[functions.f]\ncomponent = \"function.wasm\"\nasync = { on-success = {}, on-failure = { url = \"ftp://a\" } }" => [
        "3:24 `on-success` needs one place: `function`, `url` or `folder`",
        "hint: write `{ function = \"NAME\" }`, `{ url = \"https://...\" }` or `{ folder = \"records\" }`",
        "3:49 `ftp://a` is no URL: it begins with http:// or https://, or is \"builtin:demo\"",
    ]
    a_destination_is_an_origin_function: "[functions.v]\ncode = \"index.js\"\n[functions.f]\ncomponent = \"function.wasm\"\nasync = { on-success = { function = \"v\" }, on-failure = { function = \"g\" } }" => [
        "5:37 `v` is a viewer function; records go to origin functions",
        "hint: a destination of `f` is one of the functions with `component`",
        "5:70 there is no function `g`",
        "hint: a destination of `f` is one of the functions with `component`",
    ]
    retries_have_a_range: "[functions.f]\ncomponent = \"function.wasm\"\nasync = { retries = 3, max-age = \"7 h\" }" => [
        "3:21 `retries` is 3; it must be from 0 to 2",
        "3:34 `max-age` is 7 h; it must be from 1 min to 6 h",
    ]
    // `lambda-at-edge.md` section 14: what stands in the place of a number.
    aliases_are_names_for_numbers: "[functions.f]\ncomponent = \"function.wasm\"\naliases = { LIVE = 1, 7 = 1, a = 0, b = \"3\" }" => [
        "3:13 `LIVE` cannot be an alias: it names a version already",
        "3:23 `7` cannot be an alias: it names a version already",
        "3:34 `a` is 0; it must be from 1 to 4294967295",
        "3:41 `b` must be a whole number, not a string",
    ]
    // `lambda-at-edge.md` section 11.3: levels are of JSON logs alone.
    levels_need_json: "[functions.f]\ncomponent = \"function.wasm\"\nlog-level = \"WARN\"\nlog-format = \"text\"\nsystem-log-level = \"ERROR\"" => [
        "3:13 `log-level` needs `log-format = \"json\"`: lines of text have no levels to go by",
        "hint: add `log-format = \"json\"`, or leave it out",
        "5:20 `system-log-level` cannot be \"ERROR\"",
        "hint: it is one of \"DEBUG\", \"INFO\", \"WARN\"",
        "5:20 `system-log-level` needs `log-format = \"json\"`: lines of text have no levels to go by",
        "hint: add `log-format = \"json\"`, or leave it out",
    ]
    the_environment_is_a_table: "[functions.f]\ncomponent = \"function.wasm\"\nenvironment = [\"A=1\"]" => [
        "3:15 `environment` must be a table of strings, not a list",
    ]
    // `lambda-at-edge.md` section 11.2: reserved variables.
    variables_have_names_and_texts: "[functions.f]\ncomponent = \"function.wasm\"\nenvironment = { 1A = \"\", AWS_REGION = \"x\", N = 1, Z = \"\\u0000\" }" => [
        "3:17 `1A` is no name for a variable", "hint: a name is letters, digits and `_`, no digit first",
        "3:26 `AWS_REGION` is set by the node itself",
        "3:48 `N` must be a string, not an integer",
        "3:55 `Z` cannot have a NUL character",
    ]
}
