//! The compose file holds what whoever starts it relies on.

#![expect(clippy::indexing_slicing, reason = "yaml_serde answers null for what is missing")]

use std::{error::Error, fs};

use yaml_serde::{Mapping, Value};

type Outcome = Result<(), Box<dyn Error>>;

const SERVICES: [&str; 2] = ["ward-policy", "database"];

fn compose() -> Result<Value, Box<dyn Error>> {
    Ok(yaml_serde::from_str(&fs::read_to_string("docker-compose.yml")?)?)
}

/// The major version of the database.
fn major(compose: &Value) -> Result<u32, Box<dyn Error>> {
    let image = compose["services"]["database"]["image"].as_str().ok_or("no image")?;
    let tag = image.strip_prefix("postgres:").ok_or("another database")?;
    Ok(tag.split(['.', '-']).next().unwrap_or_default().parse()?)
}

#[test]
fn there_is_the_service_and_a_postgresql_and_no_more() -> Outcome {
    let services = &compose()?["services"];
    assert_eq!(services.as_mapping().map(Mapping::len), Some(SERVICES.len()));
    assert_eq!(services["ward-policy"]["build"], ".");
    let major = major(&compose()?)?;
    assert!(
        (15..18).contains(&major),
        "{major}: from 18 on the volume belongs one directory higher"
    );
    Ok(())
}

#[test]
fn images_are_pinned_to_a_release() -> Outcome {
    let (compose, dockerfile) = (compose()?, fs::read_to_string("Dockerfile")?);
    let built_on = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM "));
    let mut images: Vec<&str> = built_on.filter_map(|image| image.split(' ').next()).collect();
    images.push(compose["services"]["database"]["image"].as_str().ok_or("no image")?);
    for (image, parts) in images.iter().zip([("rust:", 3), ("debian:", 2), ("postgres:", 2)]) {
        let tag = image.strip_prefix(parts.0).ok_or("another image")?;
        let version: Vec<&str> = tag.split('-').next().unwrap_or_default().split('.').collect();
        let numbers = version.iter().filter(|part| part.parse::<u32>().is_ok());
        assert_eq!(numbers.count(), parts.1, "{image}");
    }
    assert_eq!(images.len(), 3);
    Ok(())
}

#[test]
fn the_service_can_dump_its_database() -> Outcome {
    let client = format!(" postgresql-client-{} ", major(&compose()?)?);
    assert!(fs::read_to_string("Dockerfile")?.contains(&client), "no{client}");
    Ok(())
}

#[test]
fn data_and_backups_are_in_named_volumes() -> Outcome {
    let compose = compose()?;
    for (service, volume, place) in [
        ("database", "database", "/var/lib/postgresql/data"),
        ("ward-policy", "backups", "/backups"),
    ] {
        let volumes = &compose["services"][service]["volumes"];
        assert_eq!(volumes[0], format!("{volume}:{place}").as_str());
        let named = compose["volumes"].as_mapping().ok_or("no volumes")?;
        assert!(named.contains_key(volume), "{volume}");
    }
    Ok(())
}

#[test]
fn both_have_health_checks_and_the_service_waits_for_its_database() -> Outcome {
    let services = &compose()?["services"];
    for name in SERVICES {
        assert!(services[name]["healthcheck"]["test"].is_sequence(), "{name}");
    }
    assert_eq!(
        services["ward-policy"]["depends_on"]["database"]["condition"],
        "service_healthy"
    );
    Ok(())
}

#[test]
fn no_password_is_written_down() -> Outcome {
    let services = &compose()?["services"];
    for name in SERVICES {
        let environment = services[name]["environment"].as_mapping().ok_or("no environment")?;
        let mut passwords = 0;
        for (variable, value) in environment {
            let (variable, value) = (variable.as_str().ok_or("no name")?, value.as_str().ok_or("no value")?);
            if variable.contains("PASS") {
                assert!(
                    value.starts_with("${POSTGRES_PASSWORD:?"),
                    "{variable} has a value or a default"
                );
                passwords += 1;
            }
            if let Some((_, address)) = value.split_once("://") {
                let user = address.split('@').next().ok_or("no user")?;
                assert!(!user.contains(':'), "{variable} holds a password");
            }
        }
        assert_eq!(passwords, 1, "{name}");
    }
    Ok(())
}

#[test]
fn the_database_is_reached_by_the_service_alone() -> Outcome {
    let services = &compose()?["services"];
    assert!(services["database"].get("ports").is_none());
    assert!(services["database"].get("network_mode").is_none());
    Ok(())
}

#[test]
fn neither_can_gain_privileges() -> Outcome {
    let services = &compose()?["services"];
    for name in SERVICES {
        assert_eq!(services[name]["security_opt"][0], "no-new-privileges:true", "{name}");
        assert_eq!(services[name]["cap_drop"][0], "ALL", "{name}");
    }
    assert!(services["ward-policy"].get("cap_add").is_none());
    let added = services["database"]["cap_add"].as_sequence().ok_or("no cap_add")?;
    let added: Vec<&str> = added.iter().filter_map(Value::as_str).collect();
    // Those of its entrypoint, and no more.
    assert_eq!(added, ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]);
    Ok(())
}

#[test]
fn both_write_to_volumes_and_bounded_tmpfs_only() -> Outcome {
    let services = &compose()?["services"];
    for (name, places) in [
        ("ward-policy", &["/tmp"][..]),
        ("database", &["/tmp", "/var/run/postgresql"]),
    ] {
        assert_eq!(services[name]["read_only"], true, "{name}");
        let mounts = services[name]["tmpfs"].as_sequence().ok_or("no tmpfs")?;
        assert_eq!(mounts.len(), places.len(), "{name}");
        for (mount, place) in mounts.iter().zip(places) {
            let (at, options) = mount.as_str().and_then(|m| m.split_once(':')).ok_or("no options")?;
            assert_eq!(at, *place, "{name}");
            let options: Vec<&str> = options.split(',').collect();
            assert!(options.iter().any(|option| option.starts_with("size=")), "{at}");
            for option in ["noexec", "nosuid", "nodev"] {
                assert!(options.contains(&option), "{at}: {option}");
            }
        }
    }
    Ok(())
}
