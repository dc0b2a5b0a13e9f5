//! The functions that the fuzzer feeds, on inputs that repeat themselves.

#[path = "../../fuzz/targets.rs"]
mod targets;

use super::proof::Dice;

fn bytes(dice: &mut Dice, most: usize) -> Vec<u8> {
    (0..dice.below(most)).map(|_| (dice.roll() >> 32) as u8).collect()
}

#[test]
fn look_ups_never_panic() {
    let mut dice = Dice(1);
    let tokens: [&[u8]; 12] = [
        b"name",
        b"key",
        b"exact",
        b"in",
        b"isnull",
        b"regex",
        b"'; --",
        b"\0",
        b"\xC3\x28",
        b"__",
        b"%",
        b"(",
    ];
    for _ in 0..8000 {
        let mut data = vec![dice.roll() as u8, dice.roll() as u8];
        for segment in 0..1 + dice.below(5) {
            if segment > 0 {
                data.push(0xFF);
            }
            match dice.below(5) {
                0 => data.extend(*dice.pick(&tokens)),
                1 => data.extend(bytes(&mut dice, 12)),
                _ => data.push(dice.roll() as u8 % 0xFE),
            }
        }
        targets::look_up(&data);
    }
}

#[test]
fn settings_never_panic() {
    let mut dice = Dice(2);
    let lines = [
        "lamindb_instance_owner=someone",
        "lamindb_instance_name=fuzzed",
        "lamindb_instance_storage_root=/tmp/x",
        "lamindb_instance_storage_root=s3://bucket",
        "lamindb_instance_storage_region=null",
        "lamindb_instance_db=null",
        "lamindb_instance_schema_str=bionty",
        "lamindb_instance_id=0123456789abcdef0123456789abcdef",
        "lamin_user_uid=00000000",
        "lamin_user_handle=someone",
        "lamin_user_email=null",
        "=",
        "===",
        "#",
        "'",
        "\"\\",
        "a='b\nc'",
    ];
    for _ in 0..2000 {
        let mut data = Vec::new();
        for _ in 0..dice.below(12) {
            if dice.below(4) == 0 {
                data.extend(bytes(&mut dice, 20));
            } else {
                data.extend(dice.pick(&lines).as_bytes());
            }
            data.push(*dice.pick(b"\n\n\n\r=\0"));
        }
        targets::settings(&data);
    }
}
