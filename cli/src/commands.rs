//! The commands, one file each: a doc comment, its arguments, and one function that only speaks.

pub(crate) mod annotate;
pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod diff;
pub(crate) mod disconnect;
pub(crate) mod gc;
pub(crate) mod get;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod lineage;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod migrate;
pub(crate) mod record;
pub(crate) mod repair;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod save;
pub(crate) mod settings;
pub(crate) mod storage;
pub(crate) mod switch;
pub(crate) mod unlock;
pub(crate) mod update;
pub(crate) mod verify;

use crate::args::{Cli, Command};
use crate::error::Result;
use crate::ui::Ui;

/// Runs the command that was asked for.
pub(crate) fn run(ui: &mut Ui, cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Annotate(args) => annotate::run(ui, args),
        Command::Cache(args) => cache::run(ui, args),
        Command::Completions(args) => completions::run(ui, args),
        Command::Connect(args) => connect::run(ui, args),
        Command::Create(args) => create::run(ui, args),
        Command::Delete(args) => delete::run(ui, args),
        Command::Describe(args) => describe::run(ui, args),
        Command::Diff(args) => diff::run(ui, args),
        Command::Disconnect(args) => disconnect::run(ui, args),
        Command::Gc(args) => gc::run(ui, args),
        Command::Get(args) => get::run(ui, args),
        Command::Info(args) => info::run(ui, args),
        Command::Init(args) => init::run(ui, args),
        Command::Lineage(args) => lineage::run(ui, args),
        Command::List(args) => list::run(ui, args),
        Command::Load(args) => load::run(ui, args),
        Command::Log(args) => log::run(ui, args),
        Command::Login(args) => login::run(ui, args),
        Command::Logout(_) => logout::run(ui),
        Command::Migrate(args) => migrate::run(ui, args),
        Command::Record(args) => record::run(ui, args),
        Command::Repair(args) => repair::run(ui, args),
        Command::Rerun(args) => rerun::run(ui, args),
        Command::Run(args) => run::run(ui, args),
        Command::Save(args) => save::run(ui, args),
        Command::Settings(args) => settings::run(ui, args),
        Command::Storage(args) => storage::run(ui, args),
        Command::Switch(args) => switch::run(ui, args),
        Command::Unlock(args) => unlock::run(ui, args),
        Command::Update(args) => update::run(ui, args),
        Command::Verify(args) => verify::run(ui, args),
    }
}
