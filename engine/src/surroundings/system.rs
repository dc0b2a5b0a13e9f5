//! The machine and what it runs on, as far as files tell.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::env::Env;
use crate::hash::digest_file;

/// Images up to this size are hashed.
const IMAGE: u64 = 4 << 30;

/// Returns system, processors, GPUs and container.
pub(crate) fn system(env: &Env) -> Json {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let release = read("/etc/os-release");
    let release = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let gpus = fs::read_dir("/proc/driver/nvidia/gpus").into_iter().flatten().flatten();
    let gpu = |path: PathBuf| {
        let text = fs::read_to_string(path.join("information")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Model:").map(|model| model.trim().to_owned()))
    };
    let driver = read("/sys/module/nvidia/version");
    json!({
        "name": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "release": release.map(|text| text.trim_matches('"')),
        "kernel": Some(read("/proc/sys/kernel/osrelease").trim()).filter(|text| !text.is_empty()),
        "processor": model.map(|(_, model)| model),
        "processors": cpus.lines().filter(|line| line.starts_with("processor")).count(),
        "gpus": gpus.filter_map(|entry| gpu(entry.path())).collect::<Vec<_>>().join(", "),
        "gpu_driver": Some(driver.trim()).filter(|text| !text.is_empty()),
        "container": container(env, Path::new("/")),
    })
}

/// Returns the container that everything runs in: its kind, and image and digest where they are known inside.
fn container(env: &Env, root: &Path) -> Option<Json> {
    let variable = |names: [&str; 2]| names.iter().find_map(|name| env.var(name));
    if let Some(image) = variable(["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"]) {
        let small = fs::metadata(image).is_ok_and(|found| found.is_file() && found.len() <= IMAGE);
        let digest = small.then(|| digest_file(Path::new(image)).ok()).flatten();
        return Some(json!({
            "kind": "apptainer",
            "image": image,
            "digest": digest.map(|digest| format!("blake3:{}", digest.to_hex())),
        }));
    }
    let podman = fs::read_to_string(root.join("run/.containerenv")).ok();
    let kind = match &podman {
        Some(_) => "podman",
        None if root.join(".dockerenv").exists() => "docker",
        None if root.join("var/run/secrets/kubernetes.io").exists() => "kubernetes",
        None => return None,
    };
    let noted = |name: &str| {
        let lines = podman.as_deref().unwrap_or_default().lines();
        let value = lines.filter_map(|line| line.split_once('=')).find(|(known, _)| *known == name)?.1;
        Some(value.trim_matches('"').to_owned()).filter(|value| !value.is_empty())
    };
    // Inside most containers nothing tells the image: who starts them may say it by a variable.
    let given = |name: &str| env.var(name).map(str::to_owned);
    Some(json!({
        "kind": kind,
        "image": given("CONTAINER_IMAGE").or_else(|| noted("image")),
        "digest": given("CONTAINER_IMAGE_DIGEST").or_else(|| noted("imageid").map(|id| format!("sha256:{id}"))),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Timestamp;

    fn env(vars: &[(&str, &str)]) -> Env {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Env::new(|| Timestamp(0), |bytes| bytes.fill(0), "/", "/").with_vars(vars)
    }

    #[test]
    fn containers_are_known_by_what_they_leave_inside() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(container(&env(&[]), dir.path()), None);
        fs::write(dir.path().join(".dockerenv"), "").unwrap();
        let digest = [("CONTAINER_IMAGE_DIGEST", "sha256:abc")];
        let docker = json!({"kind": "docker", "image": null, "digest": "sha256:abc"});
        assert_eq!(container(&env(&digest), dir.path()), Some(docker));

        fs::create_dir(dir.path().join("run")).unwrap();
        let noted = "engine=\"podman-4.3.1\"\nimage=\"docker.io/lab/tools:1\"\nimageid=\"0f3e\"\n";
        fs::write(dir.path().join("run/.containerenv"), noted).unwrap();
        let podman = json!({"kind": "podman", "image": "docker.io/lab/tools:1", "digest": "sha256:0f3e"});
        assert_eq!(container(&env(&[]), dir.path()), Some(podman));

        let image = dir.path().join("tools.sif");
        fs::write(&image, "image").unwrap();
        let found = container(&env(&[("APPTAINER_CONTAINER", image.to_str().unwrap())]), dir.path()).unwrap();
        let digest = format!("blake3:{}", digest_file(&image).unwrap().to_hex());
        assert_eq!((&found["kind"], &found["digest"]), (&"apptainer".into(), &digest.into()));
    }
}
