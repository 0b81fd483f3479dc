#include "findings.h"

#include <stddef.h>

#define INFO SALVOR_SEVERITY_INFO
#define WARNING SALVOR_SEVERITY_WARNING
#define BLOCKER SALVOR_SEVERITY_BLOCKER
#define WAIVABLE SALVOR_FINDING_WAIVABLE

const struct salvor_finding rancher_findings[RANCHER_FINDINGS] = {
    /* ---- the file ---- */
    {FINDING_NO_ARCHIVE, "the backup holds no archive of Rancher Backups", "RANCHER-012",
     "name a set that 'salvor backup' made, or a file that ends in .tar.gz or .tar.gz.enc; of "
     "several choose one with --archive",
     BLOCKER, 0},
    {FINDING_DAMAGED, "the archive is damaged", "RANCHER-004 RANCHER-012",
     "fetch the file again from where it is stored, and compare sizes; if it is damaged there, "
     "too, "
     "take the backup before it",
     BLOCKER, 0},
    {FINDING_GZIP_HEADER, "the gzip header is not the operator's", NULL,
     "nothing to do: no checksum covers these bytes, and none of them matters for what is read",
     INFO, 0},
    {FINDING_FILE_NAME, "the file name does not say which cluster the archive is of",
     "RANCHER-010 RANCHER-069",
     "give the file the name that the operator gave it, "
     "<backup>-<UID of kube-system>-<time>.tar.gz[.enc]; without it the archive counts as foreign",
     WARNING, 0},
    {FINDING_SUFFIX, "file name and content differ in whether it is encrypted", "RANCHER-068",
     "rename the file: .tar.gz.enc for archives with encrypted members, .tar.gz for others",
     WARNING, 0},
    {FINDING_READ, "what the archive holds", "RANCHER-014 RANCHER-047", "nothing to do", INFO, 0},
    {FINDING_OLD_FORMAT, "the archive was made by release 1 of the operator", "RANCHER-018",
     "nothing to do: it is read all the same", INFO, 0},

    /* ---- its members ---- */
    {FINDING_ODD_MEMBER,
     "the operator's reader crashes on a member, or takes it for another object", "RANCHER-004",
     "take another backup; or take the member out of the archive when it was put there by hand",
     BLOCKER, WAIVABLE},
    {FINDING_NO_OBJECT, "a member is no object", "RANCHER-004",
     "take another backup: this one cannot be restored as a whole", BLOCKER, WAIVABLE},
    {FINDING_MISPLACED, "a member is not the object that its path says", "RANCHER-004",
     "take another backup, or put right what was changed by hand", BLOCKER, WAIVABLE},
    {FINDING_TWICE, "a path stands in the archive twice", "RANCHER-004",
     "nothing to do when both are the same object gathered twice: the last one counts", INFO, 0},
    {FINDING_HIDDEN, "the operator overlooks an object because its path contains 'filters'",
     "RANCHER-047 RANCHER-072",
     "restore with --engine native; the operator would not restore it, and with prune delete the "
     "live one",
     WARNING, 0},
    {FINDING_BIG_NUMBER, "the operator's restore changes a whole number beyond 2^53", "RANCHER-004",
     "restore with --engine native, which keeps numbers as they stand", WARNING, 0},
    {FINDING_LONG_NAME, "a name is too long for the operator's own backup", NULL,
     "nothing to do for the restore; the operator itself cannot back this object up", INFO, 0},

    /* ---- the resource set ---- */
    {FINDING_NO_SET, "the archive does not say by which resource set it was made",
     "RANCHER-014 RANCHER-071",
     "scale Rancher down by hand before a restore in place: nothing tells which controllers to "
     "stop, "
     "and prune would delete nothing",
     WARNING, 0},
    {FINDING_BAD_SET, "the resource set of the archive cannot be read", "RANCHER-014",
     "take another backup: the operator refuses this one", BLOCKER, WAIVABLE},
    {FINDING_REPLACED_SET,
     "the operator takes an object for the resource set: it then neither stops Rancher nor prunes",
     "RANCHER-071 RANCHER-072", "restore with --engine native", WARNING, 0},
    {FINDING_PATTERN, "a regular expression of the resource set is none in Go's dialect",
     "RANCHER-015", "correct the ResourceSet; with it the operator cannot prune, nor take backups",
     BLOCKER, WAIVABLE},
    {FINDING_PATTERN_HERE, "a regular expression of the resource set cannot be evaluated by salvor",
     "RANCHER-015", "use --engine operator for backups and for prune", WARNING, 0},
    {FINDING_DEAD_SELECTOR, "an entry of the resource set can never match", "RANCHER-046",
     "nothing to do: the vendor's own sets have such entries", INFO, 0},
    {FINDING_BASIC_SET, "the archive was made without Secrets", "RANCHER-066",
     "have all Secrets of Rancher at hand to deploy them by hand, or take a backup with "
     "rancher-resource-set-full",
     WARNING, 0},
    {FINDING_OWN_SET, "the resource set is not one of the vendor's", "RANCHER-018 RANCHER-024",
     "see that it selects all that Rancher needs: the vendor's sets are rancher-resource-set-full "
     "and rancher-resource-set-basic",
     WARNING, 0},

    /* ---- secrets ---- */
    {FINDING_CLEAR_SECRETS, "secret values lie in the archive in clear text",
     "RANCHER-006 RANCHER-007", "keep the file as a secret; encrypt further backups", WARNING, 0},
    {FINDING_CLEAR_KEY, "the key of encrypted backups lies in the archive in clear text",
     "RANCHER-008 RANCHER-067",
     "cover Secrets by the encryption configuration, and make a new key: whoever has this file can "
     "read encrypted ones",
     WARNING, 0},
    {FINDING_LOCKED_KEY, "the key of this backup lies in it, locked by itself", "RANCHER-008",
     "keep the encryption configuration outside: this copy opens nothing", WARNING, 0},
    {FINDING_CLEAR_S3, "credentials of an object store lie in the archive in clear text",
     "RANCHER-007 RANCHER-065", "keep the file as a secret; encrypt further backups", WARNING, 0},
    {FINDING_CLOSED, "encrypted members were not looked into", "RANCHER-006 RANCHER-068",
     "give the encryption configuration that the backup was made with: --encryption-config "
     "file:encryption-provider-config.yaml",
     INFO, 0},
    {FINDING_NOT_OPENED, "the encryption configuration given does not open a member", "RANCHER-068",
     "give the configuration that the backup was made with, with all keys that were in use then",
     BLOCKER, 0},
    {FINDING_KMS, "members are encrypted by a key management service", "RANCHER-068",
     "restore with --engine operator on a cluster where the operator reaches the service", WARNING,
     0},
    {FINDING_NOT_ENCRYPTED,
     "the configuration covers a type that lies in the archive in clear text",
     "RANCHER-006 RANCHER-007",
     "operators before release 6 ignore wildcards: name the resources one by one", WARNING, 0},

    /* ---- what belongs together ---- */
    {FINDING_LOST, "the operator would leave out an object, and not say so: its owner never comes",
     "RANCHER-013 RANCHER-051",
     "restore with --engine native, which takes the living owner or drops the reference; or "
     "restore "
     "the object by hand",
     WARNING, 0},
    {FINDING_LOST_VERSION,
     "the operator would leave out an object, and not say so: its owner is stored under another "
     "API "
     "version",
     "RANCHER-013 RANCHER-018", "restore with --engine native, which finds the owner all the same",
     WARNING, 0},
    {FINDING_LOST_CYCLE,
     "the operator would leave out an object, and not say so: its owners wait for each other",
     "RANCHER-013", "restore with --engine native", WARNING, 0},
    {FINDING_OWNER_KIND, "whether an owner can come is not known without the cluster",
     "RANCHER-013", "validate with the cluster at hand", INFO, 0},
    {FINDING_NO_NAMESPACE, "objects are in a namespace that the archive does not have",
     "RANCHER-014 RANCHER-024",
     "create the namespace before the restore: without it each attempt of the operator fails, and "
     "is repeated for ever",
     WARNING, 0},
    {FINDING_NO_DEFINITION, "objects are of a type whose definition the archive does not have",
     "RANCHER-013 RANCHER-023",
     "install what defines it on the target before the restore, or do without these objects",
     WARNING, 0},
    {FINDING_NOT_SERVED, "the archive's own definition does not serve a version of its objects",
     "RANCHER-013", "take another backup, or leave these objects out", BLOCKER, WAIVABLE},
    {FINDING_UNUSED_DEFINITION, "definitions without objects", NULL, "nothing to do", INFO, 0},
    {FINDING_NO_SCHEMA,
     "a definition has spec.preserveUnknownFields: restoring it drops its schema", "RANCHER-013",
     "install Rancher of the same version afterwards, which writes the schema again", WARNING, 0},
    {FINDING_GIT_SECRET, "a Secret that Fleet or a catalogue needs is not in the archive",
     "RANCHER-048 RANCHER-058 RANCHER-088",
     "create it again after the restore; before the next backup: kubectl label secret NAME -n "
     "NAMESPACE resources.cattle.io/backup=true",
     WARNING, 0},
    {FINDING_NOT_RESTORED, "objects that are kept for prune, and never restored", "RANCHER-013",
     "nothing to do: Rancher makes them again", INFO, 0},
    {FINDING_DOWNSTREAM, "downstream clusters stand in the archive as objects only",
     "RANCHER-021 RANCHER-027 RANCHER-049 RANCHER-051 RANCHER-053",
     "nothing to do for clusters that live; one that was deleted is not brought back by a restore",
     INFO, 0},
    {FINDING_FLEET, "Fleet agents write to the cluster while it is restored", "RANCHER-087",
     "keep downstream agents away from the API of the cluster until the restore is done; pausing "
     "GitRepos is not enough",
     WARNING, 0},

    /* ---- versions ---- */
    {FINDING_NO_VERSION, "the archive does not tell the version of Rancher", "RANCHER-022",
     "find out which Rancher the backup was taken from, and say so with --rancher-version", WARNING,
     0},
    {FINDING_DEVELOPMENT, "the backup is of a Rancher that is no release", "RANCHER-022",
     "restore to the very same build: nothing tells two development builds apart", WARNING, 0},
    {FINDING_TOO_OLD, "the backup is of a Rancher before 2.5.0", "RANCHER-059",
     "there is no way to restore it with Rancher Backups", BLOCKER, WAIVABLE},
    {FINDING_OTHER_VERSION, "the backup is of another version of Rancher",
     "RANCHER-022 RANCHER-037 RANCHER-041",
     "bring Rancher to the version of the backup first, or roll back to it: --path rollback",
     BLOCKER, 0},
    {FINDING_REMOVED_API, "the target no longer serves a type of the archive",
     "RANCHER-023 RANCHER-039", "restore to the Kubernetes version that the backup was taken from",
     BLOCKER, WAIVABLE},
    {FINDING_OTHER_KUBERNETES, "the target runs another Kubernetes than the source",
     "RANCHER-023 RANCHER-039 RANCHER-044",
     "restore to the same version, and upgrade afterwards in the way of its distribution", WARNING,
     0},
    {FINDING_OPERATOR_RANGE,
     "the operator for this Rancher does not support the target's Kubernetes",
     "RANCHER-023 RANCHER-059", "take a Kubernetes version that the operator's chart allows",
     WARNING, 0},
    {FINDING_TARGET_UNKNOWN, "nothing was compared with a target", "RANCHER-022 RANCHER-023",
     "validate with the target at hand (--kubeconfig), or name its versions: --rancher-version, "
     "--kubernetes-version",
     INFO, 0},
};
