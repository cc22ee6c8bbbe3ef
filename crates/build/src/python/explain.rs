//! From what componentize-py says to problems with a place and a way out.

use crate::problem::{Failure, Place, Problem};
use crate::run::Output;
use crate::source::Source;
use std::fs;

/// Where the shims say that the function's files are.
const TASK: &str = "/var/task/";

/// Explains an error of module scope, which runs while the component is built.
pub(super) fn module_scope(output: &Output, source: &Source) -> Failure {
    let said = format!("{}\n{}", output.stdout, output.stderr);
    let Some(error) = said.lines().map(str::trim).rev().find(|line| is_error(line)) else {
        return Problem::tools(format!("componentize-py failed\n{}", output.last_words())).into();
    };
    if let Some((_, missing)) = error.split_once("rimward: ") {
        let way =
            format!("define `def {}(event, context):`, or name another with `--handler FILE.FUNCTION`", source.export);
        return Problem::source(missing).at(Place::file(&source.entry)).way(way).into();
    }
    let place = said.lines().rev().find_map(|line| place(line, source)).unwrap_or_else(|| Place::file(&source.entry));
    Problem::source(format!("module scope failed while it was run: {error}")).at(place).way(way(error)).into()
}

/// `Type: message`, or `Type` alone, at the start of a line.
fn is_error(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
    is_name && (name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Exit"))
}

/// `  File "/var/task/a.py", line 3, in f`.
fn place(line: &str, source: &Source) -> Option<Place> {
    let (_, rest) = line.split_once(&format!("File \"{TASK}"))?;
    let (name, rest) = rest.split_once('"')?;
    let digits: String = rest.trim_start_matches(", line ").chars().take_while(char::is_ascii_digit).collect();
    let number: u32 = digits.parse().ok()?;
    let file = source.folder.join(name);
    let text = fs::read_to_string(&file).unwrap_or_default();
    let excerpt = text.lines().nth(number.saturating_sub(1) as usize).map(str::to_owned);
    Some(Place { file, line: number, column: 0, excerpt })
}

fn way(error: &str) -> &'static str {
    let module = error.split_once("No module named '").and_then(|(_, rest)| rest.split('\'').next());
    match module {
        Some("ssl" | "_ssl") => {
            "Python in the sandbox has no ssl: urllib.request and http.client reach https through the node"
        }
        Some("bz2" | "lzma" | "_bz2" | "_lzma" | "compression" | "_zstd") => {
            "of compression, Python in the sandbox has zlib and gzip; the node compresses answers"
        }
        Some("sqlite3" | "_sqlite3" | "ctypes" | "_ctypes" | "curses" | "tkinter" | "readline") => {
            "this part of Python is machine code that the sandbox does not have"
        }
        Some("boto3" | "botocore") => "the node brings no AWS SDK: add it to requirements.txt and give it credentials",
        Some(_) => {
            "add the package to requirements.txt and build with `--install`, or copy its files into the function's folder"
        }
        None => {
            "code outside of functions runs when the component is built, and again when an instance starts; move what \
                 cannot run there into the handler"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn explained(said: &str) -> Problem {
        let source = Source {
            language: Language::Python,
            folder: "/f".into(),
            entry: "/f/lambda_function.py".into(),
            export: "lambda_handler".into(),
        };
        let output = Output { status: ExitStatus::from_raw(256), stdout: String::new(), stderr: said.to_owned() };
        module_scope(&output, &source).problems.remove(0)
    }

    #[test]
    fn an_error_of_module_scope_has_the_functions_own_line() {
        let problem = explained(
            "Traceback (most recent call last):\n  File \"/0/rimward_lambda.py\", line 9, in <module>\n  \
             File \"/var/task/lambda_function.py\", line 4, in <module>\nModuleNotFoundError: No module named 'requests'\n",
        );
        assert_eq!(problem.place.unwrap().to_string(), "/f/lambda_function.py:4");
        assert!(problem.way.unwrap().contains("requirements.txt"));
    }

    #[test]
    fn what_python_in_the_sandbox_lacks_is_told() {
        assert!(explained("ModuleNotFoundError: No module named '_ssl'").way.unwrap().contains("through the node"));
        let problem = explained("AttributeError: rimward: lambda_handler is not defined in app; it defines main");
        assert_eq!(problem.message, "lambda_handler is not defined in app; it defines main");
    }
}
