//! A node in a process of its own.

use crate::support::{Folder, rimward};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Longer than compiling the engine takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A node that runs in a folder.
pub struct Node {
    pub child: Child,
    lines: Receiver<String>,
    /// What it said before it served, and its first address.
    pub said: Vec<String>,
    pub http: SocketAddr,
    pub admin: SocketAddr,
}

impl Node {
    /// Starts it and waits until it serves.
    pub fn start(folder: &Folder) -> Self {
        Self::start_with(folder, "127.0.0.1:0")
    }

    /// The same, with the admin API at `admin`.
    pub fn start_with(folder: &Folder, admin: &str) -> Self {
        Self::launch(rimward(), folder, admin)
    }

    /// The same behind a command of the shell, such as `ulimit`.
    pub fn start_behind(folder: &Folder, shell: &str) -> Self {
        let binary = rimward();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} && exec \"$0\" \"$@\"")]).arg(binary.get_program());
        command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::launch(command, folder, "127.0.0.1:0")
    }

    fn launch(mut command: Command, folder: &Folder, admin: &str) -> Self {
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin", admin, "--config"]);
        command.env("XDG_STATE_HOME", folder.path("kept"));
        command.arg(folder.path("rimward.toml")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens any more when the test is over.
                let _ = sender.send(line);
            }
        });
        let unknown: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut node = Self { child, lines, said: Vec::new(), http: unknown, admin: unknown };
        let address = |line: &String| line.rsplit("http://").next().unwrap().trim().parse().unwrap();
        node.said = node.lines_until("  http ");
        node.http = address(node.said.last().unwrap());
        node.admin = address(&node.wait_for("  admin "));
        node
    }

    /// The next line with this text.
    pub fn wait_for(&self, text: &str) -> String {
        self.lines_until(text).pop().unwrap()
    }

    fn lines_until(&self, text: &str) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let is_it = line.contains(text);
                    seen.push(line);
                    if is_it {
                        return seen;
                    }
                }
                Err(error) => panic!("no line with {text:?} ({error}) in\n{}", seen.join("\n")),
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub fn get(&self, path: &str) -> String {
        send(self.http, &format!("GET {path} HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n"))
    }

    pub fn admin(&self, method: &str, path: &str, body: &str) -> String {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}");
        send(self.admin, &format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}"))
    }

    /// Ends it by SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it by SIGTERM; the exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.wait_for("stopped");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Gone already, if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
