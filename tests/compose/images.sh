# shellcheck shell=bash
# For tests/compose/run: systems made as an engine makes images, by the Dockerfile.

# A bare Debian, as its image is, that reaches the network as this machine does. It knows no certificates, like the image.
make_bare() {
    local mirror
    [ ! -e "$1" ] || return 0
    rm -rf --one-file-system "$1.partial"
    mirror=$(grep -rhoE 'http://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
        grep -v snapshot | head -n 1 | tr -d ' ' || true)
    debootstrap --variant=minbase trixie "$1.partial" ${mirror:+"$mirror"}
    cp /etc/resolv.conf "$1.partial/etc/"
    cp -r /etc/apt/apt.conf.d "$1.partial/etc/apt/"
    mv "$1.partial" "$1"
}

# What a command in a system finds mounted while an image is made.
furnish() {
    mount -t proc proc "$1/proc"
    mount --bind /dev "$1/dev"
}

install_in() {
    chroot "$1" env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update && apt-get install --yes --no-install-recommends "$@"' - "${@:2}"
}

# The system to check with: the programs of the postgres image, and what reads YAML and JSON.
make_tools() {
    [ ! -e "$1" ] || return 0
    rm -rf --one-file-system "$1.partial"
    cp -a "$place/bare" "$1.partial"
    furnish "$1.partial"
    mkdir -p "$1.partial/etc/postgresql-common/createcluster.d"
    echo "create_main_cluster = false" >"$1.partial/etc/postgresql-common/createcluster.d/none.conf"
    install_in "$1.partial" postgresql-17 python3-yaml jq curl iproute2
    umount "$1.partial/proc" "$1.partial/dev"
    # As the image has them.
    chroot "$1.partial" install --directory --owner=postgres --group=postgres --mode=3777 /var/run/postgresql
    chroot "$1.partial" install --directory --owner=postgres --group=postgres --mode=1777 /var/lib/postgresql/data
    mv "$1.partial" "$1"
}

# The instructions of the Dockerfile, one a line.
instructions() {
    sed -E '/^[[:space:]]*(#|$)/d' Dockerfile | sed -e ':next' -e '/\\$/{N;s/\\\n[[:space:]]*//;b next' -e '}'
}

# What .dockerignore lets into the build.
make_context() {
    [ "$(grep -v '^#' .dockerignore | head -n 1)" = '*' ] || { echo ".dockerignore does not begin with *"; return 1; }
    mkdir "$1"
    grep '^!' .dockerignore | cut -c 2- | xargs cp -a --parents --target-directory="$1"
}

# FROM: a system of the stage's own.
begin_stage() {
    cp -a "$place/bare" "$root"
    furnish "$root"
    case $1 in
    debian:13.*-slim)
        told "$1" "$(cat "$root/etc/debian_version")"
        ;;
    rust:*-slim-trixie)
        told "$1" "$(rustc --version | cut -d ' ' -f 2)"
        [ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
        install_in "$root" ca-certificates gcc libc6-dev
        # The image's toolchain is this machine's.
        mkdir -p "$root/usr/local/rustup" "$root/usr/local/cargo"
        mount --bind "$(rustc --print sysroot)" "$root/usr/local/rustup"
        ;;
    *)
        echo "nobody knows what $1 is made of"
        return 1
        ;;
    esac
}

# What is pinned, and what stands in for it.
told() {
    case $1 in
    *:"$2"-*) ;;
    *) echo "note: $1 is pinned, $2 stands in for it" >&3 ;;
    esac
}

run_in_stage() {
    local command=$1 target
    while [[ $command == --mount=type=cache,target=* ]]; do
        target=${command%% *} target=${target#*target=} command=${command#* }
        mkdir -p "$place/caches$target" "$root$target"
        mount --bind "$place/caches$target" "$root$target"
    done
    chroot "$root" env -i HOME=/root PATH="$path" "${image_env[@]}" sh -c 'cd "$1" && eval "$2"' - "$directory" "$command"
}

copy_to_stage() {
    local from=$now/context to words
    read -ra words <<<"$1"
    if [[ ${words[0]} == --from=* ]]; then
        from=$now/stages/${words[0]#--from=}
        words=("${words[@]:1}")
    fi
    to=$root$(realpath --canonicalize-missing --no-symlinks "$directory/${words[-1]}")
    case ${words[-1]} in /*) to=$root${words[-1]} ;; esac
    for word in "${words[@]:0:${#words[@]}-1}"; do
        if [ -d "$from/$word" ]; then
            mkdir -p "$to" && cp -a "$from/$word/." "$to/"
        elif [ -e "$from/$word" ]; then
            # shellcheck disable=SC2115 # neither is empty
            cp -a "$from/$word" "$to"
        else
            echo "COPY: the build has no $word"
            return 1
        fi
    done
    # An engine makes what it copies root's.
    chown -R --no-dereference 0:0 "$to"
}

# Follows the Dockerfile. The last stage is the image: $root, $image_env, $image_user, $entrypoint.
follow_dockerfile() {
    local word rest stage
    mkdir "$now/stages"
    make_context "$now/context"
    image_user=0 entrypoint=
    while read -r word rest <&4; do
        case $word in
        FROM)
            stage=image
            [[ $rest != *" AS "* ]] || stage=${rest##* AS }
            root=$now/stages/$stage directory=/ image_env=()
            [[ $rest != rust:* ]] || image_env=(PATH="/usr/local/rustup/bin:$path" CARGO_HOME=/usr/local/cargo)
            passes "FROM $rest" begin_stage "${rest%% *}"
            ;;
        RUN) passes "RUN $rest" run_in_stage "$rest" ;;
        COPY) passes "COPY $rest" copy_to_stage "$rest" ;;
        WORKDIR) directory=$rest && mkdir -p "$root$rest" ;;
        ENV) image_env+=("$rest") ;;
        USER) image_user=$rest ;;
        ENTRYPOINT) entrypoint=$rest ;;
        EXPOSE | HEALTHCHECK) ;;
        *) fail "nobody knows what $word does" ;;
        esac
    done 4< <(instructions)
}
