use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn found(files: &[(&str, &str)]) -> Result<(Language, String, String), String> {
    let folder = folder(files);
    let source = Source::find(folder.path(), None, None).map_err(|failure| failure.to_string())?;
    let entry = source.entry.strip_prefix(&source.folder).unwrap().display().to_string();
    Ok((source.language, entry, source.export))
}

#[test]
fn the_usual_names_tell_the_language_and_the_handler() {
    for (files, language, entry, export) in [
        (&[("index.js", "")][..], Language::JavaScript, "index.js", "handler"),
        (&[("index.mjs", ""), ("util.js", "")], Language::JavaScript, "index.mjs", "handler"),
        (&[("rules.ts", ""), ("index.ts", "")], Language::JavaScript, "index.ts", "handler"),
        (&[("only.cjs", "")], Language::JavaScript, "only.cjs", "handler"),
        (
            &[("package.json", r#"{"main":"src/edge.js"}"#), ("src/edge.js", "")],
            Language::JavaScript,
            "src/edge.js",
            "handler",
        ),
        (
            &[("lambda_function.py", "def lambda_handler(e, c): pass")],
            Language::Python,
            "lambda_function.py",
            "lambda_handler",
        ),
        (&[("app.py", "def handler(event, context):\n  pass"), ("b.py", "")], Language::Python, "app.py", "handler"),
        (&[("index.js", ""), ("tool.py", "")], Language::JavaScript, "index.js", "handler"),
        (&[("Cargo.toml", ""), ("build.js", "")], Language::Rust, "Cargo.toml", "handler"),
        (&[("function.c", ""), ("json.c", "")], Language::C, "function.c", "handler"),
    ] {
        assert_eq!(found(files), Ok((language, entry.to_owned(), export.to_owned())), "{files:?}");
    }
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    for (files, part) in [
        (&[("readme.md", "")][..], "no file of JavaScript"),
        (&[("a.js", ""), ("b.py", "")], "has files of JavaScript and of Python"),
        (&[("a.js", ""), ("b.js", "")], "no file here is the handler's by its name"),
        (&[("package.json", "{"), ("index.js", "")], "package.json is not JSON"),
    ] {
        let said = found(files).unwrap_err();
        assert!(said.contains(part), "{files:?}: {said}");
    }
}

#[test]
fn a_file_export_text_names_the_handler() {
    // `lambda-at-edge.md` section 4.
    let handler: Handler = "src/app.main".parse().unwrap();
    let folder = folder(&[("src/app.ts", ""), ("index.js", "")]);
    let source = Source::find(folder.path(), None, Some(&handler)).unwrap();
    assert!(source.entry.ends_with("src/app.ts"));
    assert_eq!(source.export, "main");
    for wrong in ["", "index", ".handler", "index.", "/etc/x.handler"] {
        assert!(wrong.parse::<Handler>().is_err(), "{wrong}");
    }
    let missing: Handler = "nope.handler".parse().unwrap();
    assert!(
        Source::find(folder.path(), None, Some(&missing)).unwrap_err().to_string().contains("has no file nope.mjs")
    );
}
