//! Arguments in, exit code out; everything between is in the library.

fn main() -> std::process::ExitCode {
    parlor::cli::main()
}
