# shellcheck shell=bash disable=SC2034,SC2154
# The site of fixtures/rancher on a control plane with the operator beside it. Needs lib/test.sh.

kubectl() {
    "$programs/kubectl" --kubeconfig "$KUBECONFIG" "$@"
}

archive_tool() {
    python3 "$E2E/lib/rancher-archive.py" "$@"
}

# apply_site: also what an earlier test took away. What exists stays as it is.
apply_site() {
    kubectl apply -f "$E2E/fixtures/rancher/site.yaml" >/dev/null
    kubectl delete settings.management.cattle.io big-numbers --ignore-not-found >/dev/null
    kubectl create -f "$E2E/fixtures/rancher/numbers.yaml" >/dev/null
    kubectl patch clusters.management.cattle.io local --subresource=status --type=merge \
        -p '{"status":{"driver":"imported","provider":"k3s","version":{"gitVersion":"v1.36.3+k3s1"}}}' >/dev/null
    sed "s/OWNER/$(kubectl get users.management.cattle.io u-demo1 -o 'jsonpath={.metadata.uid}')/" \
        "$E2E/fixtures/rancher/owned.yaml" | kubectl apply -f - >/dev/null
}

# make_site FOLDER: a control plane, the operator and the site, all in FOLDER.
make_site() {
    programs=$("$E2E/bin/build" kubernetes)
    cluster=$("$E2E/bin/control-plane" start --dir "$1/cluster")
    cleanup "$E2E/bin/control-plane" stop "$cluster"
    export KUBECONFIG=$cluster/kubeconfig
    operator=$("$E2E/bin/rancher-operator" start "$KUBECONFIG" --dir "$1/operator")
    cleanup "$E2E/bin/rancher-operator" stop "$operator"
    python3 "$E2E/lib/definitions.py" "$E2E/crds/rancher.tsv" | kubectl apply -f - >/dev/null
    kubectl wait --for=condition=Established --timeout=30s crd --all >/dev/null
    apply_site
    kubectl apply -f "$E2E/fixtures/rancher/resource-set.yaml" >/dev/null
}

# backup NAME SPEC-AS-JSON: sets archive, the name of the file made.
backup() {
    printf '{"apiVersion":"resources.cattle.io/v1","kind":"Backup","metadata":{"name":"%s"},"spec":%s}' "$1" "$2" |
        kubectl create -f - >/dev/null
    await 60 backup_done "$1" || fail "backup '$1' has status $(kubectl get backups.resources.cattle.io "$1" -o 'jsonpath={.status}')"
    archive=$(kubectl get backups.resources.cattle.io "$1" -o 'jsonpath={.status.filename}')
}

backup_done() {
    [[ $(kubectl get backups.resources.cattle.io "$1" -o json |
        jq -r '.metadata.generation as $generation | .status |
            ([.conditions[]? | select(.type == "Ready" and .status == "True" and .message == "Completed")] | length == 1)
            and .observedGeneration == $generation and (.filename | length > 0)') == true ]]
}

# start_restore NAME SPEC-AS-JSON
start_restore() {
    printf '{"apiVersion":"resources.cattle.io/v1","kind":"Restore","metadata":{"name":"%s"},"spec":%s}' "$1" "$2" |
        kubectl create -f - >/dev/null
}

restore() {
    start_restore "$@"
    await 120 restore_done "$1" || fail "restore '$1' has status $(kubectl get restores.resources.cattle.io "$1" -o 'jsonpath={.status}')"
}

restore_done() {
    [[ -n $(kubectl get restores.resources.cattle.io "$1" -o 'jsonpath={.status.restoreCompletionTs}') ]]
}

# has_failed KIND NAME: the condition that a failed attempt leaves.
has_failed() {
    [[ $(kubectl get "$1.resources.cattle.io" "$2" -o json |
        jq '[.status.conditions[]? | select(.type == "Reconciling" and .status == "False" and .reason == "Error")] | length') == 1 ]]
}

# encryption_secret NAME PROVIDER RESOURCE...: a Secret that the operator encrypts those with. The key is
# a made-up one of 32 bytes.
encryption_key=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
encryption_secret() {
    local name=$1 provider=$2
    shift 2
    cat >"$work/encryption-provider-config.yaml" <<YAML
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [$(printf '"%s",' "$@")]
  providers:
  - $provider:
      keys:
      - name: key1
        secret: $encryption_key
YAML
    kubectl create secret generic "$name" -n cattle-resources-system \
        --from-file="$work/encryption-provider-config.yaml" >/dev/null
}
