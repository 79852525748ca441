//! Tells the linker what an add-on is: Node supplies the Node-API symbols, and threads of ours may
//! outlive the worker that loaded us.

fn main() {
    napi_build::setup();
    // Node unloads an add-on with the last worker that uses it, while a batch may still run on the
    // pool: the library stays.
    let os = std::env::var("CARGO_CFG_TARGET_OS");
    if os.is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
