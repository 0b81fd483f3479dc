/* Versions of Rancher, Kubernetes and the operator, and which goes with which. */
#ifndef SALVOR_RANCHER_VERSIONS_H
#define SALVOR_RANCHER_VERSIONS_H

#include <stddef.h>
#include <stdint.h>

/* "v2.12.3", "2.12.3-rc1", "v1.34.2+k3s1". */
struct version {
    int known;   /* major and minor could be read */
    int release; /* nothing but major.minor.patch; of Kubernetes: also with a build after '+' */
    uint32_t major;
    uint32_t minor;
    uint32_t patch;
    char text[64]; /* as it stood, cut where it is too long */
};

void version_read(const char *text, struct version *ret_version);

/* <0, 0, >0 by major, minor, patch. Both must be known. */
int version_compare(const struct version *a, const struct version *b);

/* 1: the same release, with or without a leading "v". */
int version_is_same(const struct version *a, const struct version *b);

/* A build of no release ("head", a commit, a pre-release). */
int version_is_development(const struct version *version);

/* Distribution of Kubernetes by its version: "k3s", "rke2", "eks", "gke", "aks", or "" for none
 * that the version tells. */
const char *kubernetes_distribution(const char *version);

/* What the vendor says of a release line of the operator. */
struct operator_line {
    uint32_t operator_major;
    uint32_t rancher_minor;          /* of Rancher 2 */
    uint32_t kubernetes_minor_first; /* of Kubernetes 1, as the chart demands */
    uint32_t kubernetes_minor_last;
};

/* NULL: not in the table. */
const struct operator_line *operator_line_of_rancher(uint32_t rancher_minor);
const struct operator_line *operator_line_of_operator(uint32_t operator_major);

#endif
