//! From the configuration that is in force to another one, and from one build of a plugin to another one: only what
//! differs is touched.

use super::{LOOK, MARGIN, Member, Report, Staff, all_instances, terms};
use crate::broker::{Granted, Seat, Wish};
use crate::config::{Change, Checked, Instance, differences};
use crate::plugin::Plugin;
use crate::supervise::Charge;
use patchbay_abi::PluginRole;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

impl Staff {
    /// Puts another configuration in force, or says what that would do.
    pub(super) async fn reload(&mut self, mut wanted: Checked, dry_run: bool) -> Report {
        let mut report = Report::default();
        let changes = differences(&self.running, &wanted);
        if dry_run {
            for change in &changes {
                report.add(change.to_string(), Granted::Serves);
                self.warn_of_routes(change, &mut report);
            }
            return report;
        }
        let level = wanted.gateway.log_level;
        // Otherwise what an operator has said meanwhile holds.
        if level != self.running.gateway.log_level {
            crate::logging::set_host_level(level);
        }
        self.broker.limit(terms::limits(&wanted));
        let (bytes, age) = terms::journal(&wanted);
        self.broker.keep(bytes, age);
        for change in &changes {
            self.warn_of_routes(change, &mut report);
            let outcome = self.make(change, &wanted).await;
            let outcome = outcome.unwrap_or_else(Granted::AsBefore);
            if let (Granted::AsBefore(_), Change::NewLife(_, id, _)) = (&outcome, change) {
                keep_instance(id, &self.running, &mut wanted);
            }
            report.add(change.to_string(), outcome);
        }
        self.running = wanted;
        self.inform();
        report
    }

    /// Makes one change.
    async fn make(&mut self, change: &Change, wanted: &Checked) -> Result<Granted, String> {
        let lost = || "it is not in the configuration".to_owned();
        match change {
            // They are all made before.
            Change::Setting(_) | Change::Later(_) => Ok(Granted::Serves),
            // Everybody is informed at the end.
            Change::Level(..) => Ok(Granted::Serves),
            Change::Added(role, id) => self.add(*role, id, wanted).await,
            Change::NewLife(_, id, _) => {
                let instance = instance_of(wanted, id).ok_or_else(lost)?;
                let member = self.member(id).ok_or_else(lost)?;
                let charge = self.charge(member.charge.seat, instance, wanted)?;
                Ok(self.give(id, charge).await)
            }
            Change::Admission(id, _) => {
                let mut frontends = wanted.frontends.iter();
                let frontend = frontends.find(|frontend| frontend.instance.id == *id);
                let route = frontend.and_then(|frontend| terms::route_in(&self.broker, frontend));
                let position = self.broker.position(id).ok_or_else(lost)?;
                self.broker.admit_by(position, route.ok_or_else(lost)?);
                Ok(Granted::Serves)
            }
            Change::Removed(_, id) => {
                self.dismiss(id);
                Ok(Granted::Serves)
            }
        }
    }

    /// An operator may have led a frontend to a backend that goes.
    fn warn_of_routes(&self, change: &Change, report: &mut Report) {
        let Change::Removed(PluginRole::Backend, id) = change else {
            return;
        };
        let position = self.broker.position(id);
        let led = position.map_or(Vec::new(), |position| self.broker.led_astray_to(position));
        for frontend in led {
            let what = format!(
                "frontend `{frontend}`: an operator had led it to `{id}`, which goes; it is led to where the file leads it"
            );
            report.add(what, Granted::Serves);
        }
    }

    async fn add(
        &mut self,
        role: PluginRole,
        id: &str,
        wanted: &Checked,
    ) -> Result<Granted, String> {
        let lost = || "it is not in the configuration".to_owned();
        let instance = instance_of(wanted, id).ok_or_else(lost)?;
        let seat = match role {
            PluginRole::Backend => terms::backend_seat(instance, wanted),
            PluginRole::Frontend => {
                let mut frontends = wanted.frontends.iter();
                let frontend = frontends.find(|frontend| frontend.instance.id == id);
                let route = frontend.and_then(|frontend| terms::route_in(&self.broker, frontend));
                Seat::frontend(id, route.ok_or_else(lost)?)
            }
        };
        // Its position is known when it has one, and nobody sees it before its charge is complete.
        let mut charge = self.charge(usize::MAX, instance, wanted)?;
        charge.seat = self.broker.add(seat);
        let (ready, mut serves) = mpsc::channel(1);
        let within = charge.start_deadline + MARGIN;
        let member = self.employ(id.to_owned(), charge, ready);
        self.members.push(member);
        let served = tokio::time::timeout(within, serves.recv()).await;
        Ok(match served {
            Ok(_) => Granted::Serves,
            Err(_) => Granted::Fails("it has not started yet; see `patchbay status`".to_owned()),
        })
    }

    /// An instance is in the configuration no more. It finishes what it has, or is cut off at the
    /// deadline for shutting down.
    fn dismiss(&mut self, id: &str) {
        let Some(position) = self.members.iter().position(|member| member.id == id) else {
            return;
        };
        let Member {
            charge,
            order,
            work,
            ..
        } = self.members.remove(position);
        self.broker.retire(charge.seat);
        let broker = self.broker.clone();
        self.leaving.retain(|leaving| !leaving.is_finished());
        self.leaving.push(tokio::spawn(async move {
            let end = tokio::time::Instant::now() + charge.stop_deadline;
            while broker.owes_now(charge.seat) && tokio::time::Instant::now() < end {
                tokio::time::sleep(LOOK).await;
            }
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            order.send_replace(Some(left.max(MARGIN)));
            let ending = work.await;
            broker.forget(charge.seat);
            let instance = broker.seats()[charge.seat].id();
            tracing::info!(instance, ?ending, "was removed, as the configuration says");
        }));
    }

    /// Tells every supervisor what holds now of levels, deadlines and restarts.
    fn inform(&mut self) {
        let gateway = &self.running.gateway;
        for member in &mut self.members {
            let Some(instance) = instance_of(&self.running, &member.id) else {
                continue;
            };
            let level = instance.log_level.unwrap_or(gateway.log_level);
            let before = (
                member.charge.level,
                member.charge.start_deadline,
                member.charge.stop_deadline,
                member.charge.hang,
                &member.charge.restart,
                member.charge.home,
            );
            let now = (
                crate::logging::level_name(level),
                gateway.deadlines.start,
                gateway.deadlines.shutdown,
                gateway.deadlines.hang,
                &gateway.restart,
                terms::home(instance, &self.running),
            );
            if before == now {
                continue;
            }
            let (level, start_deadline, stop_deadline, hang, restart, home) = now;
            member.charge = Charge {
                level,
                start_deadline,
                stop_deadline,
                hang,
                restart: restart.clone(),
                home,
                ..member.charge.clone()
            };
            self.broker.seats()[member.charge.seat].wish(Wish {
                charge: Some(Box::new(member.charge.clone())),
                answer: None,
            });
        }
    }

    /// The file of the plugin of that name.
    pub(super) fn plugin_of(&self, name: &str) -> Result<PathBuf, String> {
        let instances = || all_instances(&self.running);
        let found = instances().find(|instance| instance.plugin == name);
        found.map(|instance| instance.path.clone()).ok_or_else(|| {
            let mut known: Vec<&str> = instances().map(|one| one.plugin.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let known = known.join(", ");
            format!("no instance is of a plugin `{name}`; the plugins in use are: {known}")
        })
    }

    /// Lets the instances of a plugin go on with a newer build of it.
    pub(super) async fn renew(&mut self, newer: Arc<Plugin>, wanted: Checked) -> Report {
        let mut report = Report::default();
        let ids: Vec<String> = all_instances(&self.running)
            .filter(|instance| instance.path == newer.path)
            .map(|instance| instance.id.clone())
            .collect();
        let mut taken = false;
        for id in ids {
            let outcome = self.renew_one(&id, &newer, &wanted).await;
            let outcome = outcome.unwrap_or_else(Granted::AsBefore);
            taken |= !matches!(outcome, Granted::AsBefore(_));
            let (role, version) = (newer.role(), &newer.manifest.version);
            let how = match role {
                PluginRole::Backend => "what is under way finishes in the former one",
                PluginRole::Frontend => "its clients have to connect again",
            };
            let what =
                format!("{role} `{id}`: the newer build (version {version}) takes over; {how}");
            report.add(what, outcome);
        }
        if taken {
            self.catalog.adopt(newer);
        }
        report
    }

    async fn renew_one(
        &mut self,
        id: &str,
        newer: &Arc<Plugin>,
        wanted: &Checked,
    ) -> Result<Granted, String> {
        let lost =
            || "the file has it no more, or of another plugin; `patchbay reload` first".to_owned();
        let instance = instance_of(wanted, id)
            .filter(|instance| instance.path == newer.path)
            .ok_or_else(lost)?;
        let member = self.member(id).ok_or_else(lost)?;
        let charge = Charge {
            plugin: newer.clone(),
            config: instance.config.as_value().to_string(),
            ..member.charge.clone()
        };
        let granted = self.give(id, charge).await;
        if matches!(granted, Granted::AsBefore(_)) {
            return Ok(granted);
        }
        let mut running = instance.clone();
        if let Some(before) = instance_of(&self.running, id) {
            running.log_level = before.log_level;
            running.isolation = before.isolation;
        }
        replace_instance(&mut self.running, running);
        Ok(granted)
    }

    fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    fn charge(&self, seat: usize, of: &Instance, wanted: &Checked) -> Result<Charge, String> {
        terms::charge(seat, of, wanted, &self.catalog)
            .ok_or_else(|| "its plugin is not loaded".to_owned())
    }

    /// Gives a supervisor something else to look after; if that does not come to serve, it is as it was.
    async fn give(&mut self, id: &str, charge: Charge) -> Granted {
        let wish = Wish {
            charge: Some(Box::new(charge.clone())),
            answer: None,
        };
        let Some(member) = self.member(id) else {
            return Granted::AsBefore("it is not in the configuration".to_owned());
        };
        let granted = self.grant(member, wish).await;
        let member = self.members.iter_mut().find(|member| member.id == id);
        if let Some(member) = member.filter(|_| !matches!(granted, Granted::AsBefore(_))) {
            member.charge = charge;
        }
        granted
    }
}

fn instance_of<'c>(config: &'c Checked, id: &str) -> Option<&'c Instance> {
    all_instances(config).find(|instance| instance.id == id)
}

fn replace_instance(config: &mut Checked, by: Instance) {
    let backends = config.backends.iter_mut().map(|one| &mut one.instance);
    let frontends = config.frontends.iter_mut().map(|one| &mut one.instance);
    if let Some(instance) = backends.chain(frontends).find(|one| one.id == by.id) {
        *instance = by;
    }
}

/// What could not be changed is as it was, so that the next reload tries it again.
fn keep_instance(id: &str, running: &Checked, wanted: &mut Checked) {
    if let Some(before) = instance_of(running, id) {
        replace_instance(wanted, before.clone());
    }
}
