// SPDX-License-Identifier: GPL-2.0-only
/* Sweeps: one failure after the other, until an operation ends without any. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "sweep.h"

#define MOST	2000	/* failures of one operation */

/**
 * pb_sweep_begin() - make failures possible, and remember how all is
 * @sweep: what is made
 * @scene: for the operations; all of it is open that stays open
 * @provider: whose memory they use
 * @pool: likewise, or -1
 */
void pb_sweep_begin(struct pb_sweep *sweep, struct scene *scene,
		    const struct pb_device *provider, int pool)
{
	*sweep = (struct pb_sweep){
		.scene = scene,
		.provider = *provider,
		.pool = pool,
		.inject = pb_inject_open(),
	};
	/* The library opens a control of its own, for the first question. */
	pb_state(provider, pool);
	sweep->start = pb_state(provider, pool);
	sweep->attached = pb_nr_attached();
}

/* pb_sweep_end() - no more failures. */
void pb_sweep_end(struct pb_sweep *sweep)
{
	close(sweep->inject);
}

static bool is_state(const struct pb_sweep *sweep,
		     const struct pb_state *before, int attached,
		     const struct pb_operation *op, unsigned int nth)
{
	struct pb_state now = pb_state(&sweep->provider, sweep->pool);
	int attached_now = pb_nr_attached();

	if (!pb_same_state(before, &now)) {
		printf("# %s: failure %u has left traces\n", op->name, nth);
		return false;
	}
	if (attached != attached_now) {
		printf("# %s: after failure %u, %d attachments, not %d\n",
		       op->name, nth, attached_now, attached);
		return false;
	}
	return true;
}

static bool is_documented(const struct pb_operation *op, int error)
{
	size_t i;

	if (op->must)
		return false;
	if (error == -ENOMEM || error == -EFAULT)
		return true;
	for (i = 0; i < ARRAY_SIZE(op->errors); i++)
		if (op->errors[i] && error == -op->errors[i])
			return true;
	return false;
}

static void undo(struct pb_sweep *sweep, const struct pb_operation *op, int ret)
{
	if (op->undo)
		op->undo(sweep->scene, ret);
}

/* The same once more, undisturbed. */
static bool works(struct pb_sweep *sweep, const struct pb_operation *op,
		  unsigned int nth)
{
	int ret = op->run(sweep->scene);

	if (ret < 0) {
		printf("# %s: after failure %u: %d\n", op->name, nth, ret);
		return false;
	}
	undo(sweep, op, ret);
	return true;
}

static bool after_failure(struct pb_sweep *sweep, const struct pb_state *before,
			  int attached, const struct pb_operation *op,
			  unsigned int nth)
{
	bool good = true;

	if (!op->until_clean)
		good = is_state(sweep, before, attached, op, nth);
	if (op->refused && !op->refused(sweep->scene)) {
		printf("# %s: failure %u did half of it\n", op->name, nth);
		good = false;
	}
	return works(sweep, op, nth) && good;
}

/* Return: whether there was an @nth thing to fail; *@good is cleared if bad. */
static bool fail_nth(struct pb_sweep *sweep, const struct pb_operation *op,
		     unsigned int nth, bool *good)
{
	struct scene *scene = sweep->scene;
	struct pb_state before;
	int attached, ret;
	bool happened;

	if (op->prepare)
		op->prepare(scene);
	before = pb_state(&sweep->provider, sweep->pool);
	attached = pb_nr_attached();

	pb_inject(sweep->inject, nth);
	ret = op->run(scene);
	happened = pb_inject_end(sweep->inject);

	if (ret < 0 && !(happened && is_documented(op, ret))) {
		printf("# %s: failure %u returned %d\n", op->name, nth, ret);
		*good = false;
	}
	if (ret >= 0)
		undo(sweep, op, ret);
	else
		*good &= after_failure(sweep, &before, attached, op, nth);
	if (op->clean)
		op->clean(scene);
	*good &= is_state(sweep, &sweep->start, sweep->attached, op, nth);
	return happened;
}

static bool sweep_one(struct pb_sweep *sweep, const struct pb_operation *op)
{
	__u64 start = pb_now_ms();
	unsigned int nth = 1;
	bool good = true;

	while (nth <= MOST && fail_nth(sweep, op, nth, &good))
		nth++;
	printf("# %s: %u failures (%llu ms)\n", op->name, nth - 1,
	       (unsigned long long)(pb_now_ms() - start));
	if (nth > MOST) {
		printf("# %s: too many\n", op->name);
		return false;
	}
	if (nth - 1 < op->least) {
		printf("# %s: too few; is nothing injected?\n", op->name);
		return false;
	}
	return good;
}

/**
 * pb_sweep_all() - sweep all of a table
 * @sweep: from pb_sweep_begin()
 * @operations: the table
 * @nr: entries of it
 *
 * Says what is wrong.
 *
 * Return: whether all was as it should be.
 */
bool pb_sweep_all(struct pb_sweep *sweep, const struct pb_operation *operations,
		  size_t nr)
{
	bool good = true;
	size_t i;

	for (i = 0; i < nr; i++)
		good &= sweep_one(sweep, &operations[i]);
	return good;
}
