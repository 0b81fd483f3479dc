# shellcheck shell=bash
# A Go that is new enough for a module of ours. Needs lib/common.sh.

# go_release GO: '1.26' of that program, nothing when it does not answer.
go_release() {
    GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null | sed -nE 's/^go([0-9]+\.[0-9]+).*/\1/p'
}

at_least() {
    [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}

# find_go WANTED: sets GO to a go program of release WANTED ('1.26') or later: the one that
# SALVOR_E2E_GO names, or else the first new enough one that is installed. Older ones (Debian 12
# has 1.19, which cannot switch by itself) fetch Go's own toolchain module, whose checksum Go's
# checksum database vouches for as it does for any module.
find_go() {
    local wanted=$1 candidate have arch cache module candidates
    candidates=("$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go*/bin/go)
    [[ -z ${SALVOR_E2E_GO:-} ]] || candidates=("$SALVOR_E2E_GO")
    for candidate in "${candidates[@]}"; do
        [[ -x $candidate ]] || continue
        have=$(go_release "$candidate")
        [[ -n $have ]] || continue
        GO=${GO:-$candidate}
        if at_least "$have" "$wanted"; then
            GO=$candidate
            return
        fi
    done
    [[ -n ${GO:-} ]] || die "no Go is installed" "'$E2E/bin/install-packages' installs Debian's"
    arch=$(GOTOOLCHAIN=local "$GO" env GOARCH)
    module=golang.org/toolchain@v0.0.1-go$E2E_GO_TOOLCHAIN.linux-$arch
    note "Go $have is too old, fetching Go $E2E_GO_TOOLCHAIN"
    # Away from our module, whose go.mod an old Go cannot read.
    (cd / && GOTOOLCHAIN=local GOFLAGS=-mod=mod "$GO" mod download "$module") || die "cannot fetch '$module'"
    cache=$(GOTOOLCHAIN=local "$GO" env GOMODCACHE)
    # A module zip carries no modes, and Go before 1.21 does not restore them for this one.
    find "$cache/$module/bin" "$cache/$module/pkg/tool" -type f ! -perm -u+x -exec chmod +x {} +
    GO=$cache/$module/bin/go
}

# Used only where no installed Go is new enough.
E2E_GO_TOOLCHAIN=1.26.8
