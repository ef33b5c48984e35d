// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the drive holds: namespaces of plain blocks.
 */

#include <linux/pci.h>
#include <linux/slab.h>

#include "nvme.h"

/* One page of Identify's list */
#define MAX_NAMESPACES	(NVME_IDENTIFY_DATA_SIZE / sizeof(__le32))

#define MIN_SHIFT	9
#define MAX_SHIFT	12

/* Fill in @ns from the Identify page. Return: whether it can be used. */
static bool parse(struct pnvme_ctrl *ctrl, struct pnvme_namespace *ns)
{
	const struct nvme_id_ns *id = ctrl->identify;
	const struct nvme_lbaf *format = &id->lbaf[nvme_lbaf_index(id->flbas)];

	/* It went since the list was read. */
	if (!id->nsze)
		return false;
	if (format->ms || format->ds < MIN_SHIFT || format->ds > MAX_SHIFT) {
		pci_info(ctrl->pdev, "namespace %u not used: blocks of 2^%u bytes, %u bytes of metadata\n",
			 ns->nsid, format->ds, le16_to_cpu(format->ms));
		return false;
	}

	ns->blocks = le64_to_cpu(id->nsze);
	ns->shift = format->ds;
	ns->read_only = id->nsattr & NVME_NS_ATTR_RO;
	return true;
}

/* Identify each namespace of the list, and keep those that can be used. */
static int scan_list(struct pnvme_ctrl *ctrl, struct pnvme_namespaces *found,
		     const __le32 *list)
{
	unsigned int nr = 0, i;
	int ret;

	for (i = 0; i < MAX_NAMESPACES && list[i]; i++) {
		found->ns[nr].nsid = le32_to_cpu(list[i]);
		ret = pnvme_identify(ctrl, NVME_ID_CNS_NS, found->ns[nr].nsid);
		if (ret)
			return ret;
		if (parse(ctrl, &found->ns[nr]))
			nr++;
	}
	found->nr = nr;
	return 0;
}

static void publish(struct pnvme_ctrl *ctrl, struct pnvme_namespaces *found)
{
	struct pnvme_namespaces *old;

	old = rcu_replace_pointer(ctrl->namespaces, found,
				  lockdep_is_held(&ctrl->lifecycle));
	if (old)
		kfree_rcu(old, rcu);
}

/**
 * pnvme_namespaces_scan() - look at what the drive holds
 * @ctrl: the controller, with the admin queue live
 *
 * Return: 0 or a negative errno, and what was known before stays known.
 */
int pnvme_namespaces_scan(struct pnvme_ctrl *ctrl)
{
	struct pnvme_namespaces *found;
	unsigned int nr = 0;
	__le32 *list;
	int ret;

	ret = pnvme_identify(ctrl, NVME_ID_CNS_NS_ACTIVE_LIST, 0);
	if (ret)
		return ret;

	list = kmemdup(ctrl->identify, NVME_IDENTIFY_DATA_SIZE, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	while (nr < MAX_NAMESPACES && list[nr])
		nr++;
	found = kzalloc_flex(*found, ns, nr);
	if (!found) {
		kfree(list);
		return -ENOMEM;
	}
	found->nr = nr;

	ret = scan_list(ctrl, found, list);
	if (ret)
		kfree(found);
	else
		publish(ctrl, found);
	kfree(list);
	return ret;
}

/**
 * pnvme_namespace_find() - look a namespace up
 * @ctrl: the controller
 * @nsid: its number, or 0 for the first
 * @found: a copy of it
 * @next: out: number of the following one, or 0; NULL if not wanted
 *
 * Return: 0; -ENXIO, there is none of that number.
 */
int pnvme_namespace_find(struct pnvme_ctrl *ctrl, u32 nsid,
			 struct pnvme_namespace *found, u32 *next)
{
	struct pnvme_namespaces *all;
	unsigned int i = 0;
	int ret = -ENXIO;

	rcu_read_lock();
	all = rcu_dereference(ctrl->namespaces);
	while (all && i < all->nr && nsid && all->ns[i].nsid != nsid)
		i++;
	if (all && i < all->nr) {
		*found = all->ns[i];
		if (next)
			*next = i + 1 < all->nr ? all->ns[i + 1].nsid : 0;
		ret = 0;
	}
	rcu_read_unlock();
	return ret;
}
