// SPDX-License-Identifier: GPL-2.0-only
/* The CPU: fills buffers, and looks whether they hold what they should. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "soak.h"

static __thread sigjmp_buf escape;

static void on_bus_error(int signal)
{
	siglongjmp(escape, signal);
}

static bool is_as_known(const struct place *place, const void *memory)
{
	if (place->content == ZERO)
		return pb_is_zero(memory, BUFFER_SIZE);
	return pb_holds(memory, BUFFER_SIZE, place->seed);
}

/* A revoke takes the mapping away at any time. */
static void work_on(struct soak *soak, struct place *place, unsigned int *seed,
		    char *memory)
{
	unsigned long before = atomic_load(&soak->disturbances);

	if (sigsetjmp(escape, 1)) {
		place->content = UNKNOWN;
		if (!soak_may_fail(soak, before, before, -ENODEV))
			soak_fault(soak, "SIGBUS, and nobody has revoked");
		return;
	}
	if (place->content != UNKNOWN && soak_random(seed, 3)) {
		if (!is_as_known(place, memory)) {
			soak_fault(soak, "a buffer does not hold its content");
			place->content = UNKNOWN;
			return;
		}
		soak_done(soak, CPU_CHECKS);
		return;
	}
	place->content = UNKNOWN;
	pb_fill(memory, BUFFER_SIZE, ++*seed);
	place->seed = *seed;
	place->content = PATTERN;
}

/**
 * soak_cpu() - thread: fill and compare
 * @arg: the soak
 *
 * Return: NULL.
 */
void *soak_cpu(void *arg)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	struct soak *soak = arg;
	unsigned int seed = 1;
	struct place *place;
	void *memory;

	sigaction(SIGBUS, &action, NULL);
	while (!atomic_load(&soak->stop)) {
		place = soak_take(soak->buffers, NR_BUFFERS, &seed);
		if (!place)
			continue;
		memory = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED, place->dmabuf, 0);
		if (memory != MAP_FAILED) {
			work_on(soak, place, &seed, memory);
			munmap(memory, BUFFER_SIZE);
		}
		soak_give(place);
	}
	return NULL;
}
