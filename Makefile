# What there is to do here; `make` alone lists it.

# Where rustup puts cargo, for the shell that was open when it did.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help run test test-postgres setup schemathesis generators clients bench chaos soak bench-history fuzz compose-test

help: ## list what there is to do
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16

run: ## build and start the service (ARGS="..." are its arguments)
	@if [ -x target/release/ward-policy ]; then echo "ward-policy: building what has changed, then starting."; else \
		echo "ward-policy: installing what is missing, building, then starting. The first build takes some minutes"; \
		echo "(about 5 on two processors), every later start a second. It says when it serves, and where."; fi
	@.ci/setup
	cargo run --release --locked -- $(ARGS)

test: ## check format and lints, then run the tests
	@.ci/setup test
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo test --locked

test-postgres: ## run the tests that meet a database on each version of PostgreSQL (POSTGRES="15 18" for some)
	tests/postgres/run $(POSTGRES)

schemathesis: ## hold the running service against its contract (about two minutes)
	tests/schemathesis/run

generators: ## try seven generators of clients on the contract (GENERATORS="orval progenitor" for some)
	tests/generators/run $(GENERATORS)

clients: ## build the clients for TypeScript and Python, install them and let them work with a running service
	clients/run

compose-test: ## run the compose file by hand, without a container engine (root, Debian; a quarter of an hour)
	tests/compose/run

bench: ## measure how near the service comes to what the machine can do (BENCH_SIZES="10000 100000" …)
	@.ci/setup bench
	cargo bench --locked --bench bench

chaos: ## break things and flood the service while it runs, and count what was lost (CHAOS_ONLY="frozen floods …" for some)
	@.ci/setup chaos
	cargo build --release --locked
	CHAOS_SERVICE="$${CHAOS_SERVICE:-$(CURDIR)/target/release/ward-policy}" cargo test --locked --test chaos

soak: ## load the service for a long time, and see that it takes no more at the end (SOAK_MINUTES, 30)
	@.ci/setup
	cargo build --release --locked
	CHAOS_SERVICE="$${CHAOS_SERVICE:-$(CURDIR)/target/release/ward-policy}" SOAK_MINUTES="$${SOAK_MINUTES:-30}" \
		cargo test --locked --test chaos

bench-history: setup ## measure what keeping history costs
	cargo build --release --locked
	tests/cost_of_history.sh target/release/ward-policy

fuzz: setup ## fuzz every parser (FUZZ_SECONDS each, FUZZ_JOBS at a time, FUZZ_TARGETS="..." for some)
	tests/fuzz/run

setup: ## install what is missing on this machine: C compiler, libpq, PostgreSQL
	@.ci/setup
