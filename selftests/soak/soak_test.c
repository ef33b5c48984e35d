// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drive, ports, display and CPU share the buffers of one BAR, for a long time,
 * while somebody revokes buffers and unbinds drivers. See soak.h; run by
 * "make soak MINUTES=N".
 *
 *   SOAK_SECONDS  how long, default 60
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <kselftest_harness.h>

#include "soak.h"

#define REPORT_SECONDS	10
#define TIMEOUT		(24 * 3600)	/* the machine ends first */

/** soak_random() - Return: a number below @limit; @seed moves on. */
unsigned int soak_random(unsigned int *seed, unsigned int limit)
{
	return rand_r(seed) % limit;
}

/**
 * soak_take() - lock one of several places, if one looked at is free
 * @places: to choose from
 * @nr: how many
 * @seed: for the choice
 *
 * Return: the place, for soak_give(); or NULL: try again.
 */
struct place *soak_take(struct place *places, unsigned int nr,
			unsigned int *seed)
{
	struct place *place = &places[soak_random(seed, nr)];

	if (!pthread_mutex_trylock(&place->lock))
		return place;
	sched_yield();
	return NULL;
}

/** soak_give() - unlock @place. */
void soak_give(struct place *place)
{
	pthread_mutex_unlock(&place->lock);
}

/** soak_copied() - @to now holds what @from holds. */
void soak_copied(struct place *to, const struct place *from)
{
	to->content = from->content;
	to->seed = from->seed;
}

/** soak_done() - count @work. */
void soak_done(struct soak *soak, enum work work)
{
	atomic_fetch_add(&soak->counts[work], 1);
}

/**
 * soak_may_fail() - was something disturbed, and is this how it ends
 * @soak: the soak
 * @before: &soak.disturbances when the work began
 * @opened: the same, when the device was opened: one that was unbound since is
 *	gone for who has it open, whenever he looks
 * @error: how it ended, a negative errno
 *
 * An odd number means that one is going on. Counts those that may.
 *
 * Return: whether that is in order.
 */
bool soak_may_fail(struct soak *soak, unsigned long before,
		   unsigned long opened, int error)
{
	static const int expected[] = {
		ECANCELED, ENODEV, EIO, ENXIO, ENETDOWN, ETIME, EBADMSG, ENOENT,
	};
	size_t i;

	if (error == -ENODEV)
		before = opened;
	if (!(before & 1) && before == atomic_load(&soak->disturbances))
		return false;
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		if (error == -expected[i]) {
			soak_done(soak, CUT_SHORT);
			return true;
		}
	return false;
}

/** soak_fault() - say and count what must not happen. */
void soak_fault(struct soak *soak, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (atomic_fetch_add(&soak->faults, 1) < 20)
		printf("# fault: %s\n", text);
}

static void report(const struct soak *soak, __u64 seconds)
{
	const atomic_ulong *count = soak->counts;

	printf("# soak %llu s: %lu read from and %lu written to the drive, ",
	       (unsigned long long)seconds, count[DISK_READS],
	       count[DISK_WRITES]);
	printf("%lu sent, %lu shown, %lu checked; %lu revokes, %lu rebinds, ",
	       count[NET_COPIES], count[FRAMES], count[CPU_CHECKS],
	       count[REVOKES], count[REBINDS]);
	printf("%lu cut short; %lu faults\n", count[CUT_SHORT], soak->faults);
	fflush(stdout);
}

FIXTURE(soak) {
	struct soak soak;
};

FIXTURE_SETUP(soak)
{
	struct soak *soak = &self->soak;
	unsigned int i;

	soak->provider = pb_provider(0);
	for (i = 0; i < NR_BUFFERS; i++)
		pthread_mutex_init(&soak->buffers[i].lock, NULL);
	for (i = 0; i < NR_REGIONS; i++)
		pthread_mutex_init(&soak->regions[i].lock, NULL);
	soak_make_buffers(soak);
}

FIXTURE_TEARDOWN(soak)
{
	soak_drop_buffers(&self->soak);
}

TEST_F_TIMEOUT(soak, everybody_shares, TIMEOUT)
{
	static void *(*const threads[])(void *soak) = {
		soak_cpu, soak_disk, soak_disk, soak_net, soak_display,
		soak_disturb,
	};
	__u64 seconds = pb_setting("SOAK_SECONDS", 60);
	__u64 start = pb_now_ms(), next = start;
	pthread_t ids[ARRAY_SIZE(threads)];
	struct soak *soak = &self->soak;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&ids[i], NULL, threads[i], soak));
	while (pb_now_ms() - start < seconds * 1000) {
		pb_sleep_ms(100);
		if (pb_now_ms() - next < REPORT_SECONDS * 1000)
			continue;
		next = pb_now_ms();
		report(soak, (next - start) / 1000);
	}
	atomic_store(&soak->stop, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(ids[i], NULL);
	report(soak, (pb_now_ms() - start) / 1000);

	EXPECT_EQ(0, soak->faults);
	for (i = 0; i < ARRAY_SIZE(soak->counts); i++)
		EXPECT_LT(0, soak->counts[i])
			TH_LOG("work %zu was never done", i);
}

TEST_HARNESS_MAIN
