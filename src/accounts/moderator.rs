//! A signed-in moderator, as of one request: who, by what they were let in, and what that lets them do where.
//!
//! Looked up anew for every request, so that a change of role, sites, scopes or expiry counts at once.

use crate::audit::Actor;
use crate::kit::ids::{ApiKeyId, ModeratorId, SessionId, SiteId};

use super::rights::{Right, Role, Scope};

/// Somebody who may do something, and how they came.
#[derive(Debug, Clone)]
pub struct Moderator {
    pub id: ModeratorId,
    pub username: String,
    pub display_name: String,
    pub role: Role,
    /// The sites they may moderate; not asked of a role that has all. Ask [`Moderator::moderates`].
    pub sites: Vec<SiteId>,
    /// Confirmed by a code.
    pub has_second_factor: bool,
    pub access: Access,
}

/// By what a moderator was let in.
#[derive(Debug, Clone)]
pub enum Access {
    /// Signed in, in person.
    Session(SessionId),
    /// A program, with a key of theirs.
    Key(KeyAccess),
    /// The program itself acts for them.
    Program,
}

/// A key that a request came with. It takes away from what its owner may, and adds nothing.
#[derive(Debug, Clone)]
pub struct KeyAccess {
    pub id: ApiKeyId,
    pub scopes: Vec<Scope>,
    /// None for all of its owner's.
    pub sites: Option<Vec<SiteId>>,
}

impl KeyAccess {
    /// A key of some sites has nothing to do with people, who may be of others.
    fn lets_through(&self, right: Right) -> bool {
        let is_about_people = right == Right::ManagePeople;
        self.scopes.iter().any(|scope| scope.lets_through(right)) && (self.sites.is_none() || !is_about_people)
    }
}

impl Moderator {
    /// Whether they have a right: their role does, and the key, if they came with one, lets it through.
    pub fn may(&self, right: Right) -> bool {
        let is_let_through = self.key().is_none_or(|key| key.lets_through(right));
        self.role.has(right) && is_let_through
    }

    /// Whether the site is one of theirs.
    pub fn moderates(&self, site: SiteId) -> bool {
        let is_of_key = self.key().and_then(|key| key.sites.as_ref()).is_none_or(|sites| sites.contains(&site));
        (self.role.has_all_sites() || self.sites.contains(&site)) && is_of_key
    }

    /// Whether they have a right on a site.
    pub fn may_on(&self, right: Right, site: SiteId) -> bool {
        self.may(right) && self.moderates(site)
    }

    /// The sites whose items a list may show; `None` for all.
    pub fn visible_sites(&self) -> Option<Vec<SiteId>> {
        let of_key = self.key().and_then(|key| key.sites.as_ref());
        match (self.role.has_all_sites(), of_key) {
            (true, of_key) => of_key.cloned(),
            (false, _) => Some(self.sites.iter().copied().filter(|site| self.moderates(*site)).collect()),
        }
    }

    /// Whether their role is one of `roles`, which must have a second factor, and they have none.
    pub fn lacks_second_factor(&self, roles: &[String]) -> bool {
        !self.has_second_factor && roles.iter().any(|role| role == self.role.as_str())
    }

    /// The session they came with; none for keys and the program.
    pub fn session(&self) -> Option<SessionId> {
        if let Access::Session(id) = self.access { Some(id) } else { None }
    }

    /// The key they came with.
    pub fn key(&self) -> Option<&KeyAccess> {
        if let Access::Key(key) = &self.access { Some(key) } else { None }
    }

    /// Who acts, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor { moderator: Some(self.id), key: self.key().map(|key| key.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: SiteId = SiteId::new(1);
    const OTHER: SiteId = SiteId::new(2);
    const THIRD: SiteId = SiteId::new(3);

    fn somebody(role: Role, access: Access) -> Moderator {
        let names = ("somebody".to_owned(), "Staff".to_owned());
        Moderator {
            id: ModeratorId::new(7),
            username: names.0,
            display_name: names.1,
            role,
            sites: if role.has_all_sites() { Vec::new() } else { vec![OURS, OTHER] },
            has_second_factor: false,
            access,
        }
    }

    fn key(scopes: &[Scope], sites: Option<&[SiteId]>) -> Access {
        Access::Key(KeyAccess { id: ApiKeyId::new(9), scopes: scopes.to_vec(), sites: sites.map(<[_]>::to_vec) })
    }

    #[test]
    fn a_key_never_adds_to_what_its_owner_may() {
        let all = key(&Scope::ALL, Some(&[OURS, THIRD]));
        for role in Role::ALL {
            let (person, program) = (somebody(role, Access::Program), somebody(role, all.clone()));
            for right in [Right::ReadQueue, Right::SeePersonal, Right::ReadAudit] {
                assert_eq!(program.may(right), person.may(right), "{role:?} {right:?}");
            }
            assert!(!program.may(Right::ManagePeople), "{role:?}");
            let everywhere = somebody(role, key(&Scope::ALL, None));
            assert_eq!(everywhere.may(Right::ManagePeople), person.may(Right::ManagePeople), "{role:?}");
            assert!(person.may(Right::ChangeOneself) && !program.may(Right::ChangeOneself), "{role:?}");
            assert!(program.moderates(OURS) && !program.moderates(OTHER), "{role:?}");
            assert_eq!(program.moderates(THIRD), person.moderates(THIRD), "{role:?}");
        }
    }

    #[test]
    fn a_key_lets_through_what_its_scopes_say() {
        let reader = somebody(Role::Admin, key(&[Scope::ReviewRead], None));
        assert!(reader.may(Right::ReadQueue) && reader.may(Right::SeePersonal) && reader.moderates(THIRD));
        for right in [Right::Decide, Right::PutArticles, Right::ReadAudit, Right::ManagePeople, Right::ChangeOneself] {
            assert!(!reader.may(right), "{right:?}");
        }
        assert!(!somebody(Role::Admin, key(&[], None)).may(Right::ReadQueue));
    }

    #[test]
    fn a_list_shows_the_sites_that_are_the_owners_and_the_keys() {
        let visible = |role, access| somebody(role, access).visible_sites();
        assert_eq!(visible(Role::Admin, Access::Program), None);
        assert_eq!(visible(Role::Admin, key(&[], Some(&[OURS]))), Some(vec![OURS]));
        assert_eq!(visible(Role::Lead, Access::Program), Some(vec![OURS, OTHER]));
        assert_eq!(visible(Role::Lead, key(&[], Some(&[OTHER, THIRD]))), Some(vec![OTHER]));
        assert_eq!(visible(Role::Lead, key(&[], Some(&[]))), Some(Vec::new()));
    }
}
