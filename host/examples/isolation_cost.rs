//! What a process of its own costs each request: the same requests, one after the other and many at once, through
//! instances that are isolated and through instances that are not, all in one gateway. README.md has the first of these figures, by
//!
//! ```text
//! cargo build --release -p patchbay -p patchbay-echo -p patchbay-socket
//! cargo run --release -p patchbay --example isolation_cost
//! ```

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    unix::measure()
}

#[cfg(not(unix))]
fn main() {
    eprintln!("there is no isolation on this system");
}

#[cfg(unix)]
mod unix {
    use serde_json::{Value, json};
    use std::error::Error;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    type Outcome<T> = Result<T, Box<dyn Error>>;

    /// What runs in a process of its own, and the frontend's socket.
    const WAYS: [(&str, &str); 3] = [
        ("nothing", "none-none"),
        ("the backend", "none-process"),
        ("both", "process-process"),
    ];
    const ROUNDS: usize = 5;
    const ONE_BY_ONE: usize = 4000;
    const AT_ONCE: usize = 20_000;
    /// Of small requests, and of large ones.
    const WINDOWS: [usize; 2] = [32, 4];
    const SIZES: [usize; 2] = [100, 100_000];

    pub(super) fn measure() -> Outcome<()> {
        let program = std::env::current_exe()?;
        let built = program.ancestors().nth(2).ok_or("where is it built?")?;
        let folder = std::env::temp_dir().join(format!("isolation-cost-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        std::fs::write(folder.join("patchbay.toml"), config(built, &folder))?;
        let gateway = Command::new(built.join("patchbay"))
            .arg("run")
            .arg(folder.join("patchbay.toml"))
            .spawn()?;
        let gateway = Running(gateway);
        let measured = all(&folder);
        drop(gateway);
        std::fs::remove_dir_all(&folder)?;
        measured
    }

    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn config(built: &Path, folder: &Path) -> String {
        let mut config = format!(
            "[gateway]\nplugin_path = [{built:?}]\nlog_level = \"error\"\n\
             max_in_flight_per_session = 100\n"
        );
        for isolation in ["none", "process"] {
            config += &format!(
                "[[backend]]\nid = \"{isolation}\"\nplugin = \"echo\"\nisolation = \"{isolation}\"\n"
            );
        }
        for (_, way) in WAYS {
            let (frontend, backend) = way.split_once('-').unwrap_or_default();
            let socket = folder.join(way);
            config += &format!(
                "[[frontend]]\nid = \"{way}\"\nplugin = \"socket\"\nbackend = \"{backend}\"\n\
                 isolation = \"{frontend}\"\nconfig = {{ unix = {socket:?} }}\n"
            );
        }
        config
    }

    /// Round by round, so that whatever else the machine does meets all of them.
    fn all(folder: &Path) -> Outcome<()> {
        println!("isolated     bytes   p50      p99      requests/s");
        for size in SIZES {
            let mut found: [(Vec<Duration>, Vec<f64>); 3] = Default::default();
            let mut clients = Vec::new();
            for (_, way) in WAYS {
                clients.push(Client::login(&folder.join(way))?);
            }
            for _ in 0..ROUNDS {
                for (client, (times, rates)) in clients.iter_mut().zip(&mut found) {
                    let fewer = if size > 1000 { 20 } else { 1 };
                    times.extend(client.one_by_one(size, ONE_BY_ONE / fewer)?);
                    rates.push(client.at_once(size, AT_ONCE / fewer)?);
                }
            }
            for ((name, _), (mut times, mut rates)) in WAYS.into_iter().zip(found) {
                times.sort_unstable();
                rates.sort_unstable_by(f64::total_cmp);
                println!(
                    "{name:<12} {size:<7} {:<8.0?} {:<8.0?} {:.0}",
                    part(&times, 0.5),
                    part(&times, 0.99),
                    part(&rates, 0.5)
                );
            }
        }
        Ok(())
    }

    fn part<T: Copy + Default>(sorted: &[T], part: f64) -> T {
        let at = (sorted.len() as f64 * part) as usize;
        sorted.get(at).copied().unwrap_or_default()
    }

    struct Client(BufReader<UnixStream>);

    impl Client {
        fn login(socket: &Path) -> Outcome<Client> {
            let end = Instant::now() + Duration::from_secs(60);
            let stream = loop {
                match UnixStream::connect(socket) {
                    Ok(stream) => break stream,
                    Err(error) if Instant::now() > end => return Err(error.into()),
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            };
            let mut client = Client(BufReader::with_capacity(1 << 18, stream));
            client.line()?;
            client.send(&json!({"op": "login", "args": {"user": "me", "secret": "s"}}))?;
            client.line()?;
            Ok(client)
        }

        fn one_by_one(&mut self, size: usize, many: usize) -> Outcome<Vec<Duration>> {
            let request = request(size);
            let mut times = Vec::with_capacity(many);
            for _ in 0..many {
                let begun = Instant::now();
                self.send(&request)?;
                self.line()?;
                times.push(begun.elapsed());
            }
            Ok(times)
        }

        /// How many in a second, with so many under way all the time.
        fn at_once(&mut self, size: usize, many: usize) -> Outcome<f64> {
            let request = request(size);
            let window = WINDOWS[usize::from(size > 1000)];
            let begun = Instant::now();
            for _ in 0..window {
                self.send(&request)?;
            }
            for number in 0..many {
                self.line()?;
                if number + window < many {
                    self.send(&request)?;
                }
            }
            Ok(many as f64 / begun.elapsed().as_secs_f64())
        }

        fn send(&mut self, request: &Value) -> Outcome<()> {
            let line = format!("{request}\n");
            Ok(self.0.get_mut().write_all(line.as_bytes())?)
        }

        fn line(&mut self) -> Outcome<()> {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            match line.contains("\"error\"") || line.is_empty() {
                true => Err(line.into()),
                false => Ok(()),
            }
        }
    }

    fn request(size: usize) -> Value {
        json!({"op": "eval", "args": {"code": "x".repeat(size)}})
    }
}
