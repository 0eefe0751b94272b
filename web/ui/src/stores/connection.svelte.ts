/** Whether the server answers. Set by every request, shown as one banner. */

class Connection {
  lost = $state(false);
}

export const connection = new Connection();
