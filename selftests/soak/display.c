// SPDX-License-Identifier: GPL-2.0-only
/* The display: scans buffers out, turn by turn. */
#include <errno.h>
#include <unistd.h>

#include "display.h"
#include "soak.h"

#define WIDTH		256U
#define HEIGHT		((unsigned int)(BUFFER_SIZE / WIDTH / 4))
#define SHOW_MS		30

static int show(const struct pb_card *card, const struct place *buffer)
{
	__u32 handle, fb;
	int ret;

	ret = pb_card_import(card, buffer->dmabuf, &handle);
	if (ret)
		return ret;
	ret = pb_card_add_fb(card, handle, WIDTH, HEIGHT, 4 * WIDTH, 0, &fb);
	if (!ret) {
		ret = pb_card_show(card, fb, WIDTH, HEIGHT);
		if (!ret)
			pb_sleep_ms(SHOW_MS);
		pb_card_remove_fb(card, fb);
	}
	pb_card_close(card, handle);
	return ret;
}

/**
 * soak_display() - thread: show buffers
 * @arg: the soak
 *
 * Return: NULL.
 */
void *soak_display(void *arg)
{
	struct soak *soak = arg;
	unsigned int seed = 3000;
	struct place *buffer;
	struct pb_card card;
	unsigned long before;
	int ret;

	must(pb_card_open("virtio_gpu", &card));
	while (!atomic_load(&soak->stop)) {
		before = atomic_load(&soak->disturbances);
		buffer = soak_take(soak->buffers, NR_BUFFERS, &seed);
		if (!buffer)
			continue;
		ret = show(&card, buffer);
		if (!ret)
			soak_done(soak, FRAMES);
		else if (!soak_may_fail(soak, before, before, ret))
			soak_fault(soak, "the display: error %d", ret);
		soak_give(buffer);
	}
	pb_card_off(&card);
	close(card.fd);
	return NULL;
}
