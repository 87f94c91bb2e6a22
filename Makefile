# ai_gateway: model calls in SQL.
#
#   make quickstart      a private cluster with a model to talk to, in .quickstart/
#   make test            installs what is missing, builds, runs every suite
#   make; make install   as in every extension; PG_CONFIG chooses the server
#   make installcheck    the regression suite against an installed extension
#   make help            everything else

EXTENSION = ai_gateway
MODULE_big = ai_gateway
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" ai_gateway.control)

OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
DATA_built = sql/ai_gateway--$(EXTVERSION).sql
DATA = $(wildcard sql/updates/*.sql)
EXTRA_CLEAN = sql/ai_gateway--*.sql test/unit/build test/fuzz/build

PG_CPPFLAGS = -I$(CURDIR)/src -DAI_GATEWAY_VERSION='"$(EXTVERSION)"' $(shell pkg-config --cflags libcurl libcjson libcrypto)
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-clobbered
SHLIB_LINK = $(shell pkg-config --libs libcurl libcjson libcrypto)

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=test
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=test

# the commands that may run where PostgreSQL is not installed yet
TOOLS = quickstart quickstart-stop quickstart-remove test lint unit fuzz bench indent help
.PHONY: $(TOOLS)
ifneq ($(filter $(TOOLS),$(MAKECMDGOALS)),)

quickstart:
	@test/quickstart/run
quickstart-stop:
	@test/quickstart/run stop
quickstart-remove:
	@test/quickstart/run remove
test:
	@test/run $(SUITES)
lint:
	@test/lint
unit:
	@test/unit/run
fuzz:
	@test/fuzz/run $(SECONDS)
bench:
	@test/bench/run
indent:
	@test/tools/indent
help:
	@sed -n 's/^#   make/  make/p' Makefile
	@echo '  make quickstart-stop, make quickstart-remove'
	@echo '  make test SUITES="regress tap"   lint unit fuzz regress isolation tap sanitize valgrind assert readme'
	@echo '  make test SUITES=coverage   what of src/ the tests execute'
	@echo '  make bench           speed and memory, as ratios'
	@echo '  make lint, make unit, make indent, make fuzz SECONDS=600'

else
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Nothing but what the server looks up leaves the library; 16 and later say so themselves.
ifeq ($(MAJORVERSION),15)
override CFLAGS += -fvisibility=hidden
override CPPFLAGS += -D'PGDLLEXPORT=__attribute__((visibility("default")))'
endif

$(DATA_built): $(sort $(wildcard sql/install/*.sql)) ai_gateway.control
	cat $(filter %.sql,$^) > $@

# every object sees every header: a full build takes seconds
$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h) ai_gateway.control
endif
