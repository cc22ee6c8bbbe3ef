//! `rimward invoke`: one event through one function.

use crate::args::{self, Invoke};
use crate::engines::Engines;
use crate::exit::{Exit, Stop};
use crate::run::{self, Failed, Ran};
use crate::source::{self, Origin, Refused, Viewer};
use crate::{configuration, print};
use rimward_config::{CodeKind, FunctionKind, OriginFunction, Runtime, ViewerFunction};
use rimward_isolate::Limits;
use rimward_kv::pairs::MAX_STORE;
use rimward_types::{Entropy, SystemEntropy};
use serde_json::{Value, json};
use std::path::Path;

/// Runs the command.
///
/// # Errors
/// When the function or the event cannot be read.
pub fn invoke(args: &Invoke) -> Result<Exit, Stop> {
    let (name, kind, store, config) = if let Some(name) = &args.function {
        let config = configuration::load(&args.config)?;
        let function = config.functions.get(name.as_str()).ok_or_else(|| unknown(name, &config, &args.config))?;
        let store = function.viewer().and_then(|f| f.key_value_store.as_ref());
        let store = store.and_then(|store| config.key_value_stores.get(store)).cloned();
        (name.clone(), function.kind.clone(), store, Some(config))
    } else if let Some(component) = &args.component {
        (named_after(component), FunctionKind::Origin(OriginFunction::new(component.clone())), None, None)
    } else {
        let code = args.code.clone().unwrap_or_default();
        let runtime = match args.runtime {
            Some(args::Runtime::V1) => Runtime::V1,
            Some(args::Runtime::V2) | None => Runtime::V2,
        };
        let text = std::fs::read_to_string(&code).unwrap_or_default();
        let settings = match run::viewer::kind_of(&text) {
            CodeKind::Viewer => ViewerFunction::new(code.clone()),
            CodeKind::Connection => ViewerFunction::for_connections(code.clone()),
        };
        (named_after(&code), FunctionKind::Viewer(ViewerFunction { runtime, ..settings }), None, None)
    };
    let engines = Engines::new(config.as_ref());
    match kind {
        FunctionKind::Viewer(settings) => {
            let store = match (&args.kvs, &store) {
                (Some(file), _) => Some(source::store(file, MAX_STORE)),
                (None, Some(store)) => Some(source::configured(store)),
                (None, None) => None,
            };
            let store = store.transpose().map_err(|refused| unusable(&refused))?;
            let viewer = Viewer::read(&name, settings, store).map_err(|refused| unusable(&refused))?;
            invoke_viewer(args, &viewer, &engines)
        }
        FunctionKind::Origin(_) if args.kvs.is_some() => {
            Err(Stop::unusable(format!("function `{name}` is a component, and components have no key value store")))
        }
        FunctionKind::Origin(settings) => {
            let origin = Origin::read(&name, settings).map_err(|refused| unusable(&refused))?;
            invoke_origin(args, &origin, &engines)
        }
    }
}

fn unknown(name: &str, config: &rimward_config::Config, file: &Path) -> Stop {
    let known: Vec<&str> = config.functions.keys().map(AsRef::as_ref).collect();
    let hint = if known.is_empty() { "it has no functions".to_owned() } else { format!("it has {}", known.join(", ")) };
    Stop::unusable(format!("{} has no function `{name}`", file.display())).hint(hint)
}

fn unusable(refused: &Refused) -> Stop {
    print::report(&refused.to_string());
    Stop::said(Exit::Unusable)
}

/// `ab-test` of `ab-test/index.js`.
fn named_after(file: &Path) -> String {
    let full = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    full.parent().and_then(Path::file_name).map_or_else(|| "function".to_owned(), |n| n.to_string_lossy().into_owned())
}

fn invoke_viewer(args: &Invoke, viewer: &Viewer, engines: &Engines) -> Result<Exit, Stop> {
    let event = run::read_event(&args.event).map_err(Stop::unusable)?;
    let event = run::viewer::event(&event, viewer.settings.kind)
        .map_err(|e| Stop::unusable(format!("event {}: {e}", args.event.display())))?;
    let function = match viewer.publish(engines)? {
        Ok(function) => function,
        Err(refused) => {
            // The vendor's operation says it in the result too.
            if args.json {
                print::data(&test_result(&Value::Null, 0, &[], &run::viewer::uncompiled(&refused.message)));
            }
            print::report(&refused.to_string());
            return Ok(Exit::Failed);
        }
    };
    let strictness = run::viewer::strictness(&viewer.settings, args.as_vendor);
    let mut seed = [0; 8];
    SystemEntropy.fill(&mut seed);
    let ran = run::viewer::run(&function, &event, u64::from_le_bytes(seed), strictness);
    let exit = if ran.output.is_ok() { Exit::Done } else { Exit::Failed };
    if args.json {
        let (output, error) = match &ran.output {
            Ok(output) => (output.clone(), String::new()),
            Err(failed) => (Value::Null, failed.sentence.clone()),
        };
        print::data(&test_result(&output, ran.cost.utilization, &ran.logs, &error));
        return Ok(exit);
    }
    say_logs(&ran.logs);
    let place = |failed: &Failed| {
        let (line, column) = failed.place.unwrap_or_default();
        Refused::at(&viewer.settings.code, &viewer.text(), line, column, describe(failed)).to_string()
    };
    show(&ran, place);
    print::say(&print::stderr().dim(&viewer_cost(&ran.cost, function.limits())));
    Ok(exit)
}

fn invoke_origin(args: &Invoke, origin: &Origin, engines: &Engines) -> Result<Exit, Stop> {
    let event = run::read_event(&args.event).map_err(Stop::unusable)?;
    let event =
        run::origin::event(&event).map_err(|e| Stop::unusable(format!("event {}: {e}", args.event.display())))?;
    let function = match origin.publish(engines)? {
        Ok(function) => function,
        Err(refused) => {
            print::report(&refused.to_string());
            return Ok(Exit::Failed);
        }
    };
    let ran = engines.block_on(run::origin::run(&function, &event))?;
    let exit = if ran.output.is_ok() { Exit::Done } else { Exit::Failed };
    if args.json {
        let error = ran.output.as_ref().err();
        let error = error.map(|e| json!({ "category": e.category.result_type(), "message": e.reason }));
        let result = json!({
            "output": ran.output.as_ref().ok(),
            "error": error,
            "logs": ran.logs,
            "duration_ms": ran.cost.duration.as_secs_f64() * 1000.0,
            "init_ms": ran.cost.init.map(|init| init.as_secs_f64() * 1000.0),
            "memory_bytes": ran.cost.memory,
        });
        print::data(&result.to_string());
        return Ok(exit);
    }
    // START, END and REPORT tell the cost.
    say_logs(&ran.logs);
    show(&ran, |failed| Refused::of_file(&origin.settings.component, describe(failed)).to_string());
    Ok(exit)
}

/// `TestResult` of the vendor's test operation (`cloudfront-functions.md` section 16).
fn test_result(output: &Value, utilization: u8, logs: &[String], error: &str) -> String {
    let output = if output.is_null() { String::new() } else { output.to_string() };
    let result = json!({
        "ComputeUtilization": utilization.to_string(),
        "FunctionExecutionLogs": logs,
        "FunctionErrorMessage": error,
        "FunctionOutput": output,
    });
    serde_json::to_string_pretty(&result).unwrap_or_default()
}

fn say_logs(logs: &[String]) {
    for line in logs {
        print::say(line);
    }
}

fn describe(failed: &Failed) -> String {
    format!("{}: {}", failed.category.result_type(), failed.reason)
}

fn show<C>(ran: &Ran<C>, report: impl FnOnce(&Failed) -> String) {
    match &ran.output {
        Ok(output) => print::data(&serde_json::to_string_pretty(output).unwrap_or_default()),
        Err(failed) => print::report(&report(failed)),
    }
}

fn viewer_cost(cost: &rimward_isolate::Cost, limits: &Limits) -> String {
    format!(
        "cost: {}, {} % of {}, {} written",
        print::time(cost.time),
        cost.utilization,
        print::time(limits.time),
        print::counted(cost.dirty_pages as usize, "page"),
    )
}
