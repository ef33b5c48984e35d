// SPDX-License-Identifier: GPL-2.0-only
/*
 * What disturbs: buffers are revoked and drivers unbound under those who work
 * with them. The one thread that makes buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "soak.h"

#define POOL_SIZE	(4 * NR_BUFFERS * BUFFER_SIZE)
#define CALM_MS		400	/* at most, between two disturbances */

static int node = -1, pool = -1;

/* Memory for a new owner is zero; the CPU's thread looks whether it is. */
static void make_buffer(struct place *place)
{
	place->dmabuf = must(pb_alloc(pool, BUFFER_SIZE, &place->id));
	place->content = ZERO;
}

/**
 * soak_make_buffers() - a pool, and all buffers
 * @soak: with the provider bound
 */
void soak_make_buffers(struct soak *soak)
{
	unsigned int i;

	node = must(pb_open_node(&soak->provider, O_RDWR));
	pool = must(pb_pool(node, 0, POOL_SIZE));
	for (i = 0; i < NR_BUFFERS; i++)
		make_buffer(&soak->buffers[i]);
}

/** soak_drop_buffers() - close all buffers of @soak, and the pool. */
void soak_drop_buffers(struct soak *soak)
{
	unsigned int i;

	for (i = 0; i < NR_BUFFERS; i++)
		close(soak->buffers[i].dmabuf);
	close(pool);
	close(node);
}

/* Counted before and after: what fails in between, or across, may. */
static void disturbance(struct soak *soak)
{
	atomic_fetch_add(&soak->disturbances, 1);
}

/* Not under the lock: whoever works with the buffer is to be surprised. */
static void revoke_one(struct soak *soak, unsigned int *seed)
{
	struct place *buffer = &soak->buffers[soak_random(seed, NR_BUFFERS)];
	int ret;

	disturbance(soak);
	ret = pb_revoke(pool, buffer->id, 0);
	if (ret)
		soak_fault(soak, "revoke: error %d", ret);
	pthread_mutex_lock(&buffer->lock);
	close(buffer->dmabuf);
	make_buffer(buffer);
	pthread_mutex_unlock(&buffer->lock);
	disturbance(soak);
	soak_done(soak, REVOKES);
}

static void rebind(struct soak *soak, const struct pb_device *device,
		   const char *driver)
{
	disturbance(soak);
	must(pb_unbind(device));
	must(pb_bind(device, driver));
	disturbance(soak);
	soak_done(soak, REBINDS);
}

static void rebind_importer(struct soak *soak, unsigned int *seed)
{
	struct pb_device devices[2];

	if (soak_random(seed, 2)) {
		if (pb_find(PB_NVME, devices, 1))
			rebind(soak, &devices[0], "peerbuf_nvme");
	} else if (pb_find(PB_IGB, devices, 2) == 2) {
		rebind(soak, &devices[soak_random(seed, 2)], "peerbuf_igb");
	}
}

static void rebind_provider(struct soak *soak)
{
	unsigned int i;

	disturbance(soak);
	must(pb_unbind(&soak->provider));
	for (i = 0; i < NR_BUFFERS; i++)
		pthread_mutex_lock(&soak->buffers[i].lock);
	soak_drop_buffers(soak);
	must(pb_bind(&soak->provider, "peerbuf_pci"));
	soak_make_buffers(soak);
	for (i = 0; i < NR_BUFFERS; i++)
		pthread_mutex_unlock(&soak->buffers[i].lock);
	disturbance(soak);
	soak_done(soak, REBINDS);
}

/**
 * soak_disturb() - thread: take things away
 * @arg: the soak, with all buffers
 *
 * Return: NULL.
 */
void *soak_disturb(void *arg)
{
	struct soak *soak = arg;
	unsigned int seed = 4000;

	while (!atomic_load(&soak->stop)) {
		pb_sleep_ms(1 + soak_random(&seed, CALM_MS));
		switch (soak_random(&seed, 16)) {
		case 0:
			rebind_provider(soak);
			break;
		case 1:
		case 2:
			rebind_importer(soak, &seed);
			break;
		default:
			revoke_one(soak, &seed);
		}
	}
	return NULL;
}
