/** Who has a part in the saga of a user, beside the door. */
export const SAGA = ['operations', 'users', 'approvals']
