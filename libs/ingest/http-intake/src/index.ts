export type { BodyRoomLimits } from './body-room.ts';
export { DEFAULT_BODY_ROOM_LIMITS } from './body-room.ts';
export type { HttpIntakeOptions } from './http-intake.ts';
export { httpIntake } from './http-intake.ts';
export type { TenantOf } from './tenant-of.ts';
