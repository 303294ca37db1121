//! The program. Everything it does is a command in [`rejoinder::cli`].

/// Returns memory to the system sooner and fragments less than the usual allocator under many small, short-lived pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rejoinder::cli::run()
}
