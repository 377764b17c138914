# Linewatch: the same commands for people and for CI. `make` lists them.
#
# A variable that is set in the environment is respected: PORT, DATABASE_URL, CARGO_TARGET_DIR, LINEWATCH_*.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/linewatch
# Outside the checkout, so that a second one need not compile again what others wrote.
override CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),$(cache)/target))
override LINEWATCH_TOOLS := $(abspath $(or $(LINEWATCH_TOOLS),$(cache)/tools))
override PATH := $(LINEWATCH_TOOLS)/bin:$(CURDIR)/end2end/node_modules/.bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
# Queries are checked against .sqlx, even while DATABASE_URL is set; `make sqlx` asks a real Postgres.
SQLX_OFFLINE ?= true
export CARGO_TARGET_DIR LINEWATCH_TOOLS PATH SQLX_OFFLINE

# Where rustup may fetch nothing, its stable does as well, if it is the version of rust-toolchain.toml.
rust := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
ifeq ($(or $(RUSTUP_TOOLCHAIN),$(findstring $(rust),$(shell rustup toolchain list 2>/dev/null))),)
ifneq ($(findstring $(rust),$(shell rustc +stable --version 2>/dev/null)),)
export RUSTUP_TOOLCHAIN := stable
endif
endif

target := $(CARGO_TARGET_DIR)
linewatch := $(target)/debug/linewatch
locked := $(if $(CI),--locked)
# What the server must be told to serve the browser's part; it finds hash.txt beside itself.
site := LEPTOS_SITE_ROOT=$(target)/site LEPTOS_HASH_FILES=true
# What the browser's part is made of.
browser_sources := app/src app/model/src app/hydrate app/public app/Cargo.toml app/model/Cargo.toml app/build.rs style Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml
# Fuzz targets are a workspace of their own; without a sanitizer stable Rust builds them, and unsafe code we have none.
fuzz := server/engine/fuzz
fuzzing = --fuzz-dir $(fuzz) --sanitizer none --target-dir $(target)/fuzz
# If make is killed, what it runs ends too.
tied := $(if $(shell command -v setpriv),setpriv --pdeathsig TERM)

# $(phase) NAME COMMAND…: says what begins, and how long it took.
phase := bash -c 'printf "\n▶ %s\n" "$$0"; if "$$@"; then how=✓ code=0; else code=$$? how=✗; fi; \
	printf "%s %s: %s s\n" "$$how" "$$0" "$$SECONDS"; exit $$code'

.NOTPARALLEL:
.PHONY: help demo test rust dev check bench fmt audit fuzz sqlx tools build browser server ours sqlx-fresh

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## Linewatch with a pretend Makini and a story; ARGS="--port 0 --json" go to the binary
	@exec $(tied) env $(site) $(linewatch) demo $(ARGS)

dev: tools ours ## the demo again at every change of a file, reloading the page
	@exec $(tied) env LEPTOS_SITE_ROOT=$(target)/site-dev LEPTOS_HASH_FILES=false \
	    LEPTOS_SITE_ADDR=127.0.0.1:$(or $(PORT),3000) cargo leptos watch --split -- demo $(ARGS)

check: ours ## does it compile? native code only
	cargo check --all-targets

bench: build ## the figures beside their budgets, a release build; ARGS="door lists" measures that alone, ARGS=--help tells more
	@cargo build $(locked) --release --package server --bin linewatch --package bench --bin bench
	@exec $(tied) $(target)/release/bench $(ARGS)

fmt: ## formats everything
	cargo fmt --all

audit: ## licences, sources, duplicates, known holes, unused dependencies, spelling; OFFLINE=1 leaves out the known holes
	@.ci/tools audit
	@$(phase) 'licences, sources, duplicates' cargo deny --locked check licenses sources bans
	@$(if $(OFFLINE),,$(phase) 'known holes' cargo deny --locked check advisories)
	@$(phase) 'unused dependencies' cargo shear --locked --deny-warnings
	@$(phase) 'spelling' typos

fuzz: ## what is in each fuzz target's corpus, then inputs made of it for FOR=60 seconds; NAME=query runs that one alone
	@.ci/tools fuzz
	@$(phase) 'build: fuzz targets' cargo fuzz build $(fuzzing)
	@for name in $(or $(NAME),$$(cargo fuzz list --fuzz-dir $(fuzz))); do \
	    mkdir -p $(target)/fuzz/corpus/$$name; \
	    $(phase) "fuzzing: $$name" env -u DATABASE_URL .ci/with-postgres cargo fuzz run $(fuzzing) $$name \
	        $(target)/fuzz/corpus/$$name $(fuzz)/corpus/$$name -- \
	        -max_total_time=$(or $(FOR),60) -timeout=10 -max_len=4096 -print_final_stats=1; \
	done

test: ## every test, on a fresh machine too
	@$(phase) 'formatting' cargo fmt --all --check
	@$(phase) 'tools' .ci/tools test
	@$(MAKE) ours
	@$(phase) 'lints: server' cargo clippy $(locked) --all-targets -- -D warnings
	@$(phase) 'lints: browser' cargo clippy $(locked) --package hydrate --target wasm32-unknown-unknown \
	    --target-dir $(target)/front -- -D warnings
	@$(phase) 'queries' env -u DATABASE_URL .ci/with-postgres $(MAKE) sqlx-fresh
	@diff -r .sqlx $(target)/sqlx || { echo '✗ .sqlx is not what the migrations and queries say: run `make sqlx`'; exit 1; }
	@$(phase) 'build: browser' $(MAKE) browser
	@$(phase) 'build: server' $(MAKE) server
	@$(phase) 'tests' env $(site) .ci/with-postgres cargo nextest run $(locked)
	@$(phase) 'tests in a browser' env -C end2end $(site) LINEWATCH_BIN=$(linewatch) node_modules/.bin/playwright test

rust: ## the tests in Rust alone; with LINEWATCH_POSTGRES_BIN=/usr/lib/postgresql/18/bin on that Postgres
	@$(phase) 'tools' .ci/tools test
	@$(MAKE) ours
	@$(phase) 'build: browser' $(MAKE) browser
	@$(phase) 'build: server' $(MAKE) server
	@$(phase) 'tests' env $(if $(LINEWATCH_POSTGRES_BIN),-u DATABASE_URL) $(site) .ci/with-postgres cargo nextest run $(locked)

sqlx: tools ours ## writes .sqlx again, after a change of migrations or queries
	@env -u DATABASE_URL .ci/with-postgres $(MAKE) sqlx-fresh
	@rm -rf .sqlx && cp -R $(target)/sqlx .sqlx && touch server/engine/src/lib.rs

# --- parts of the above ----------------------------------------------------------------------------------------------

tools:
	@.ci/tools build

build: tools ours browser server

# Cargo knows a package by its place in its workspace, not by the workspace's. Two checkouts that share a target directory
# could be taken for each other, by file times; so whoever comes after another one has its own packages built again.
ours:
	@mkdir -p $(target)
	@if [ "$$(cat $(target)/checkout 2>/dev/null)" != '$(CURDIR)' ]; then \
	    find app server -path '*/src/lib.rs' -o -path '*/src/main.rs' | xargs touch; \
	    echo '$(CURDIR)' >$(target)/checkout; \
	fi

# Compiled small, split into what each screen needs, made smaller by wasm-opt, compressed: about a minute. So only when what it is made of has changed.
browser:
	@made_of=$$(find $(browser_sources) -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum); \
	if [ "$$(cat $(target)/site.made-of 2>/dev/null)" != "$$made_of" ]; then \
	    rm -f $(target)/site.made-of; \
	    cargo leptos build --release --split --precompress --frontend-only $(if $(CI),--cargo-locked) >&2; \
	    echo "$$made_of" >$(target)/site.made-of; \
	fi
	@mkdir -p $(target)/debug && cp $(target)/release/hash.txt $(target)/debug/hash.txt

server:
	@cargo build $(locked) --package server --bin linewatch

# Asks the Postgres of DATABASE_URL what the queries mean, and notes it as `cargo sqlx prepare` would. The flag that is
# new every time makes cargo compile the engine again, and nothing else.
sqlx-fresh:
	@rm -rf $(target)/sqlx && mkdir -p $(target)/sqlx
	@for migration in $(sort $(wildcard migrations/*.sql)); do \
	    psql "$$DATABASE_URL" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file "$$migration" >/dev/null; \
	done
	@SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$(target)/sqlx \
	    cargo rustc $(locked) --package engine --lib --profile check -- --cfg "asked_at_$$(date +%s%N)"
