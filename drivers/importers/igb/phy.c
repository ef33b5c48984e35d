// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: the PHY, which the firmware may use as well: 82576 datasheet,
 * 4.6.11 "Software and firmware synchronization".
 */

#include <linux/bitfield.h>
#include <linux/iopoll.h>
#include <linux/time64.h>

#include "igb.h"

#define IGB_PHY_ADDRESS		1
#define IGB_PHY_POLL_US		50
#define IGB_PHY_TIMEOUT_US	(50 * USEC_PER_MSEC)

/* Reading SMBI takes it if it was free; SWESMBI stays only if it was. */
static bool igb_semaphore_taken(struct igb *igb)
{
	u32 swsm = igb_read(igb, IGB_SWSM);

	if (swsm & IGB_SWSM_SMBI)
		return false;

	igb_write(igb, IGB_SWSM, swsm | IGB_SWSM_SMBI | IGB_SWSM_SWESMBI);
	if (igb_read(igb, IGB_SWSM) & IGB_SWSM_SWESMBI)
		return true;

	igb_write(igb, IGB_SWSM, 0);
	return false;
}

/* Guards SW_FW_SYNC. */
static int igb_take_semaphore(struct igb *igb)
{
	bool taken;

	return read_poll_timeout(igb_semaphore_taken, taken, taken,
				 IGB_PHY_POLL_US, IGB_PHY_TIMEOUT_US, false,
				 igb);
}

static void igb_drop_semaphore(struct igb *igb)
{
	igb_write(igb, IGB_SWSM, igb_read(igb, IGB_SWSM) &
				 ~(IGB_SWSM_SMBI | IGB_SWSM_SWESMBI));
}

static u32 igb_phy_bit(struct igb *igb)
{
	u32 port = FIELD_GET(IGB_STATUS_LAN_ID, igb_read(igb, IGB_STATUS));

	return IGB_SW_FW_SYNC_PHY(port);
}

static int igb_phy_try_take(struct igb *igb)
{
	u32 bit = igb_phy_bit(igb);
	u32 sync;
	int ret;

	ret = igb_take_semaphore(igb);
	if (ret)
		return ret;

	sync = igb_read(igb, IGB_SW_FW_SYNC);
	if (sync & (bit | bit << IGB_SW_FW_SYNC_FIRMWARE))
		ret = -EBUSY;
	else
		igb_write(igb, IGB_SW_FW_SYNC, sync | bit);
	igb_drop_semaphore(igb);
	return ret;
}

static int igb_phy_take(struct igb *igb)
{
	int ret, err;

	ret = read_poll_timeout(igb_phy_try_take, err, err != -EBUSY,
				IGB_PHY_POLL_US, IGB_PHY_TIMEOUT_US, false,
				igb);
	return ret ?: err;
}

static void igb_phy_drop(struct igb *igb)
{
	if (igb_take_semaphore(igb))
		return;

	igb_write(igb, IGB_SW_FW_SYNC,
		  igb_read(igb, IGB_SW_FW_SYNC) & ~igb_phy_bit(igb));
	igb_drop_semaphore(igb);
}

/**
 * igb_phy_write() - write a register of the PHY
 * @igb: the port; &igb.ring_lock is held
 * @reg: its number, IEEE 802.3 clause 22
 * @value: what to write
 *
 * Return: 0; -ETIMEDOUT, -EBUSY or -EIO, the PHY or the way to it is in a bad
 * state.
 */
int igb_phy_write(struct igb *igb, u32 reg, u16 value)
{
	u32 mdic;
	int ret;

	ret = igb_phy_take(igb);
	if (ret)
		return ret;

	igb_write(igb, IGB_MDIC, FIELD_PREP(IGB_MDIC_DATA, value) |
				 FIELD_PREP(IGB_MDIC_REG, reg) |
				 FIELD_PREP(IGB_MDIC_PHY, IGB_PHY_ADDRESS) |
				 IGB_MDIC_WRITE);
	ret = readl_poll_timeout(igb->regs + IGB_MDIC, mdic,
				 mdic & IGB_MDIC_READY, IGB_PHY_POLL_US,
				 IGB_PHY_TIMEOUT_US);
	if (!ret && mdic & IGB_MDIC_ERROR)
		ret = -EIO;

	igb_phy_drop(igb);
	return ret;
}
